import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Command } from 'commander';
import sharp from 'sharp';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Blobs, exported, richScene, testResult } from '#project/formats/formats.testkit.ts';
import { finished, libraryIn } from '#library/library.testkit.ts';
import { segmentsOf } from '#shared/document/document.ts';
import { readScene, writeScene } from '#shared/document/scene-file.ts';
import { reportError } from '../cli-errors.ts';
import { registerExport } from './export.ts';
import { registerHistory } from './history.ts';
import { registerImport } from './import.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'spatext-cli-'));
  vi.stubEnv('SPATEXT_DATA', path.join(folder, 'data'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  await rm(folder, { recursive: true, force: true });
});

/** Runs a command as typed; what it prints, and its exit code. */
async function run(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const program = new Command('spatext');
  registerExport(program);
  registerImport(program);
  registerHistory(program);
  let out = '';
  let err = '';
  const capture = (take: (text: string) => void) => (text: string | Uint8Array) => (take(String(text)), true);
  vi.spyOn(process.stdout, 'write').mockImplementation(capture((text) => (out += text)));
  vi.spyOn(process.stderr, 'write').mockImplementation(capture((text) => (err += text)));
  const throwInstead = (command: Command): void => {
    command.exitOverride();
    command.commands.forEach(throwInstead);
  };
  throwInstead(program);
  try {
    await program.parseAsync(words, { from: 'user' });
    return { code: 0, out, err };
  } catch (error) {
    const code = reportError(error);
    return { code, out, err };
  } finally {
    vi.restoreAllMocks();
  }
}
const at = (...names: string[]): string => path.join(folder, ...names);

test('export and import: there and back, what is lost said', async () => {
  const blobs = new Blobs();
  const document = await richScene(blobs);
  await writeFile(at('my scene.json'), (await exported(document, 'json', blobs)).bytes);
  for (const format of ['spatext', 'png', 'psd', 'ora', 'svg', 'webp']) {
    const made = await run('export', at('my scene.json'), '--to', format, '--out', at('out'));
    expect(made).toMatchObject({ code: 0, out: `${at('out', `my scene.${format}`)}\n` });
    const back = await run('import', at('out', `my scene.${format}`), '--out', at('back.json'));
    expect(back.code).toBe(0);
    expect(readScene(await readFile(at('back.json'), 'utf8')).document).toEqual(document);
  }
  const json = await run('export', at('my scene.json'), '--to', 'psd', '--out', at('out'), '--json');
  expect(JSON.parse(json.out)).toMatchObject({
    type: 'image/vnd.adobe.photoshop',
    losses: [expect.any(String), expect.any(String)],
  });
  expect(await readdir(at('out'))).toHaveLength(6);
});

test("a picture made by the studio becomes the result layer of its scene's PSD", async () => {
  const blobs = new Blobs();
  const document = await richScene(blobs);
  const { bytes } = await exported(document, 'png', blobs, { result: await testResult(document, blobs) });
  await writeFile(at('picture.png'), bytes);
  expect((await run('export', at('picture.png'), '--to', 'psd', '--out', at('out'))).code).toBe(0);
  const { parsePsd } = await import('#project/formats/psd.ts');
  expect(parsePsd(await readFile(at('out', 'picture.psd'))).size).toEqual({ width: 320, height: 256 });
  expect((await run('export', at('picture.png'), '--to', 'sheet', '--out', at('out'))).code).toBe(0);
});

test('a label map with its table', async () => {
  const data = new Uint8Array(64 * 64 * 3);
  for (let i = 0; i < 64 * 64; i += 1) if (i % 64 < 30) data.set([200, 30, 40], i * 3);
  await sharp(data, { raw: { width: 64, height: 64, channels: 3 } })
    .jpeg({ quality: 80 })
    .toFile(at('map.jpg'));
  await writeFile(at('table.json'), JSON.stringify({ '#c81e28': 'a wall' }));
  const words = [
    'import',
    at('map.jpg'),
    '--labels',
    at('table.json'),
    '--text',
    'a yard',
    '--out',
    at('scene.json'),
    '--json',
  ];
  const made = await run(...words);
  expect(made.code).toBe(0);
  expect(JSON.parse(made.out)).toMatchObject({ width: 64, text: 'a yard', segments: [{ name: 'a wall' }], losses: [] });
  const { document } = readScene(await readFile(at('scene.json'), 'utf8'));
  expect(segmentsOf(document)).toHaveLength(1);
  for (const [table, said] of [
    ['[1, 2', 'not a table of colours'],
    ['{"red": "a wall"}', '“red” is no colour'],
    ['{"#ff0000": 5}', '#ff0000 has no text'],
    ['{}', 'the table of colours is empty'],
  ] as const) {
    await writeFile(at('table.json'), table);
    const refused = await run(...words);
    expect(refused).toMatchObject({ code: 3, out: '' });
    expect(refused.err).toContain(said);
  }
});

test('annotations cannot reach files outside their folder', async () => {
  const annotations = (name: string) =>
    JSON.stringify({
      images: [],
      categories: [{ id: 1, name: 'cat' }],
      annotations: [{ image_id: 1, file_name: name, segments_info: [{ id: 1, category_id: 1 }] }],
    });
  for (const name of ['../secret.png', '/etc/passwd', String.raw`..\secret.png`, '.hidden.png']) {
    await writeFile(at('coco.json'), annotations(name));
    const made = await run('import', at('coco.json'), '--out', at('scene.json'));
    expect(made).toMatchObject({ code: 3 });
    expect(made.err).toContain('no bare file name');
  }
});

test('bad use and bad input have their codes, nothing is written', async () => {
  const blobs = new Blobs();
  await writeFile(at('scene.json'), writeScene(await richScene(blobs)));
  await writeFile(at('broken.json'), '{"format":"spatext-scene"');
  await writeFile(at('newer.json'), '{"format":"spatext-scene","version":99,"records":[]}');
  const before = await readdir(folder);
  expect((await run('export', at('scene.json'), '--to', 'gif', '--out', at('out'))).code).toBe(2);
  expect((await run('export', at('scene.json'), '--out', at('out'))).code).toBe(2);
  expect((await run('export', at('scene.json'), '--to', 'json', '--out', folder)).code).toBe(2);
  expect((await run('export', at('none.json'), '--to', 'png', '--out', at('out'))).code).toBe(3);
  expect((await run('export', at('broken.json'), '--to', 'png', '--out', at('out'))).code).toBe(3);
  expect((await run('export', at('newer.json'), '--to', 'png', '--out', at('out'))).code).toBe(3);
  expect((await run('export', at('scene.json'), '--to', 'sheet', '--out', at('out'))).code).toBe(3);
  expect((await run('import', at('broken.json'), '--out', at('x.json'))).code).toBe(3);
  const inTheWay = await run('export', at('scene.json'), '--to', 'png', '--out', at('scene.json'));
  expect(inTheWay.code).toBe(5);
  expect(inTheWay.err).toContain('there is a file in its place');
  expect((await run('import', at('scene.json'), '--out', at('x.txt'))).code).toBe(2);
  expect((await run('import', at('scene.json'), '--out', at('scene.json'))).code).toBe(2);
  expect(await readdir(folder)).toEqual(before);
});

test('history: list, search, show, while the studio has it open', async () => {
  expect(await run('history', 'list')).toMatchObject({ code: 0, out: 'no results yet\n' });
  const { library } = await libraryIn(at('data', 'library'));
  await library.add(finished({ id: 'one', text: 'a castle' }));
  await library.add(finished({ id: 'two', text: 'a tower', parents: ['one'] }));
  await library.update({ id: 'result-two', note: 'for Anna', starred: true });
  const list = JSON.parse((await run('history', 'list', '--json')).out) as { results: { id: string }[]; total: number };
  expect([list.total, ...list.results.map(({ id }) => id)]).toEqual([2, 'result-two', 'result-one']);
  expect((await run('history', 'search', 'anna')).out).toContain('result-two');
  expect((await run('history', 'search', 'nothing')).out).toBe('nothing found\n');
  expect((await run('history', 'list', '--starred')).out.trim().split('\n')).toHaveLength(1);
  // Both are 512 pixels wide and high.
  expect((await run('history', 'list', '--min-side', '513')).out).toBe('nothing found\n');
  const shown = await run('history', 'show', 'two');
  expect(shown.out).toContain('from      result-one');
  expect(shown.out).toContain('changed   global text “a castle” → “a tower”');
  expect(JSON.parse((await run('history', 'show', 'result-one', '--json')).out)).toMatchObject({
    descendants: ['result-two'],
    records: expect.any(Array) as unknown,
  });
  expect((await run('history', 'show', 'result-gone')).code).toBe(3);
  expect((await run('history', 'show', '../x')).code).toBe(2);
  await library.close();
}, 180_000);
