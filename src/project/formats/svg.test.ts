import { expect, test } from 'vitest';
import { sceneOf, segmentsOf, slotOf, toDocument } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import { maskFrom, maskIou } from '#shared/masks/mask.ts';
import { NO_BITMAPS } from '#shared/masks/rasterize.ts';
import { segmentMask } from '#shared/masks/segment-mask.ts';
import { Blobs, exported, imported, richScene, sceneIn } from './formats.testkit.ts';
import { bitmapsOf } from './pixels.ts';

const svg = async (body: string, root = 'width="200" height="100"') => {
  const file = await imported(
    Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" ${root}>${body}</svg>`),
    new Blobs(),
  );
  const document = toDocument(sceneIn(file));
  return { document, losses: file.kind === 'image' ? [] : file.losses };
};
const texts = (document: StudioDocument) =>
  segmentsOf(document).map((segment) => {
    const { content } = slotOf(document, segment.slot);
    return content.kind === 'text' ? content.text : content.kind;
  });
const maskOf = (document: StudioDocument, index: number, width: number, height: number) =>
  segmentMask(document, segmentsOf(document)[index]!, { width, height }, NO_BITMAPS);

test('shapes become segments with their names and areas', async () => {
  const { document } = await svg(`
    <title>My drawing</title>
    <rect x="10" y="20" width="50" height="30" id="red_house"/>
    <g transform="translate(100 0) scale(2)" display="none"><circle cx="20" cy="25" r="10"><title>a sun</title></circle></g>
    <path d="M0 0h40v40h-40z M10 10h20v20h-20z" fill-rule="evenodd" id="path123" inkscape:label="a frame" xmlns:inkscape="i"/>
    <polygon points="150,50 190,50 170,90" style="fill:#abc;fill-rule:nonzero" aria-label="a tent"/>`);
  expect(sceneOf(document)).toMatchObject({ width: 200, height: 100, title: 'My drawing' });
  expect(texts(document)).toEqual(['red house', 'a sun', 'a frame', 'a tent']);
  expect(segmentsOf(document).map(({ visible }) => visible)).toEqual([true, false, true, true]);
  const inside = (test: (x: number, y: number) => boolean) => maskFrom(200, 100, (x, y) => test(x + 0.5, y + 0.5));
  const wanted = [
    inside((x, y) => x > 10 && x < 60 && y > 20 && y < 50),
    inside((x, y) => Math.hypot(x - 140, y - 50) < 20),
    inside((x, y) => x < 40 && y < 40 && !(x > 10 && x < 30 && y > 10 && y < 30)),
    inside((x, y) => y > 50 && y < 90 && Math.abs(x - 170) < (90 - y) / 2),
  ];
  for (const [index, mask] of wanted.entries())
    expect(maskIou(maskOf(document, index, 200, 100), mask)).toBeGreaterThan(0.96);
});

test.each([
  ['width="10mm" height="5mm" viewBox="0 0 100 50"', [38, 19], [0.5, 0.5]],
  ['viewBox="-50 -50 100 100"', [100, 100], [1, 1]],
  ['width="400" height="100" viewBox="0 0 100 100"', [400, 100], [0.25, 1]],
  ['width="50%" height="50%" viewBox="0 0 640 480"', [320, 240], [1, 1]],
  ['width="100000" height="50000" viewBox="0 0 2 1"', [8192, 4096], [1, 1]],
])('page %s', async (root, [width, height], [share]) => {
  const full = '<rect x="-1000" y="-1000" width="100000" height="100000"/>';
  const { document } = await svg(full, root);
  expect(sceneOf(document)).toMatchObject({ width, height });
  expect(share).toBeGreaterThan(0);
});

test('the box fits and is centred unless told to stretch', async () => {
  const square = '<rect width="100" height="100"/>';
  const centred = await svg(square, 'width="400" height="100" viewBox="0 0 100 100"');
  const middle = maskFrom(400, 100, (x) => x >= 150 && x < 250);
  expect(maskIou(maskOf(centred.document, 0, 400, 100), middle)).toBe(1);
  const stretched = await svg(square, 'width="400" height="100" viewBox="0 0 100 100" preserveAspectRatio="none"');
  expect(
    maskIou(
      maskOf(stretched.document, 0, 400, 100),
      maskFrom(400, 100, () => true),
    ),
  ).toBe(1);
});

test('scripts, style sheets, pictures and links are left alone and named', async () => {
  const { document, losses } = await svg(`
    <script>require('fs').writeFileSync('owned','')</script><style>@import url(http://example.invalid/x.css);</style>
    <image href="http://example.invalid/a.png" width="9" height="9"/><use href="file:///etc/passwd#a"/>
    <a href="javascript:alert(1)"><rect width="20" height="20" onload="alert(1)"/></a>`);
  expect(segmentsOf(document)).toHaveLength(1);
  expect(losses.join('\n')).toMatch(/scripts[\s\S]*style sheets[\s\S]*<image>[\s\S]*<use>/);
});

test.each([
  ['entities', '<!DOCTYPE svg [<!ENTITY a "b">]><svg xmlns="http://www.w3.org/2000/svg"><title>&a;</title></svg>'],
  [
    'a billion laughs',
    `<!DOCTYPE svg [<!ENTITY a "ha">${Array.from({ length: 20 }, (_, i) => `<!ENTITY b${i} "&b${i - 1};&b${i - 1};">`).join('')}]><svg/>`,
  ],
  ['external entities', '<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg>&x;</svg>'],
  ['an undeclared entity', '<svg xmlns="http://www.w3.org/2000/svg">&secret;</svg>'],
  ['a page', '<html><body/></html>'],
  ['a cut', '<svg xmlns="http://www.w3.org/2000/svg"><rect'],
  ['depth', `<svg>${'<g>'.repeat(3000)}${'</g>'.repeat(3000)}</svg>`],
  ['no area', '<svg width="0" height="10"/>'],
])('%s is refused in words', async (_what, text) => {
  await expect(imported(Buffer.from(text), new Blobs())).rejects.toMatchObject({ code: 'bad-input' });
});

test('a document type without declarations is fine, nothing is fetched for it', async () => {
  const head =
    '<?xml version="1.0"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://example.invalid/svg11.dtd">';
  const file = await imported(
    Buffer.from(`${head}<svg width="20" height="20"><rect width="9" height="9"/></svg>`),
    new Blobs(),
  );
  expect(segmentsOf(toDocument(sceneIn(file)))).toHaveLength(1);
});

test('other programs see the areas: without the scene inside, outlines give them back', async () => {
  const blobs = new Blobs();
  const document = await richScene(blobs);
  const { bytes } = await exported(document, 'svg', blobs);
  const bare = Buffer.from(bytes)
    .toString('utf8')
    .replace(/<metadata[\s\S]*<\/metadata>/, '');
  const back = toDocument(sceneIn(await imported(Buffer.from(bare), new Blobs())));
  const { bitmaps } = await bitmapsOf(document, blobs.read);
  const size = { width: 320, height: 256 };
  const drawn = segmentsOf(document);
  expect(segmentsOf(back)).toHaveLength(drawn.length);
  for (const [index, segment] of segmentsOf(back).entries()) {
    const before = segmentMask(document, { ...drawn[index]!, feather: 0 }, size, bitmaps);
    const after = segmentMask(back, segment, size, NO_BITMAPS);
    expect(maskIou(before, after)).toBeGreaterThan(0.93);
  }
  expect(texts(back)[4]).toBe('a <kite> & "tail"');
});

test('edited elsewhere: the edited outline replaces its segment, the rest stays exact', async () => {
  const blobs = new Blobs();
  const document = await richScene(blobs);
  const { bytes } = await exported(document, 'svg', blobs);
  const text = Buffer.from(bytes).toString('utf8');
  const edited = text
    .replace('x="20" y="60" width="90"', 'x="40" y="60" width="90"')
    .replace('</svg>', '<circle cx="50" cy="50" r="20" id="a_balloon"/></svg>');
  expect(edited).not.toBe(text);
  const file = await imported(Buffer.from(edited), new Blobs());
  const after = toDocument(sceneIn(file));
  expect(after['segment:cat']).toMatchObject({ shapes: [{ kind: 'rect', x: 40, y: 60, width: 90, height: 120 }] });
  expect(after['slot:cat']).toEqual(document['slot:cat']);
  expect(after['segment:stroke']).toEqual(document['segment:stroke']);
  expect(texts(after).at(-1)).toBe('a balloon');
});
