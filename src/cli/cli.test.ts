// The command line as a user types it: exit codes, one clear sentence, nothing half-written.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodePicture } from '#engine/image/picture.ts';
import { createScene, createSegment } from '#shared/document/create.ts';
import { toDocument } from '#shared/document/document.ts';
import { writeScene } from '#shared/document/scene-file.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'spatext-cli-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}
const spatext = (...args: string[]): Promise<Ran> => spatextIn({}, ...args);
function spatextIn(env: NodeJS.ProcessEnv, ...args: string[]): Promise<Ran> {
  const child = spawn(process.execPath, ['src/cli/run.ts', ...args], {
    env: { ...process.env, SPATEXT_DATA: path.join(folder, 'data'), ...env },
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, out, err })));
}
/** Makes a folder's room small without a disk of its own, which not every container allows. */
const NO_SPACE = pathToFileURL(path.resolve('test/fault/no-space.ts')).href;

/** Whether this machine lets a test make a disk: root on Linux, outside of stricter containers. */
function canMount(): boolean {
  if (process.getuid?.() !== 0 || process.platform !== 'linux') return false;
  const place = mkdtempSync(path.join(os.tmpdir(), 'spatext-mount-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', place]).status === 0;
  if (mounted) spawnSync('umount', [place]);
  rmSync(place, { recursive: true });
  return mounted;
}
async function file(name: string, text: string): Promise<string> {
  const target = path.join(folder, name);
  await writeFile(target, text);
  return target;
}
const records = (scene: Parameters<typeof createScene>[0] = {}, text = 'a dog') => [
  createScene({ width: 64, height: 64, text: 'beach', sampler: { name: 'ddim', steps: 1 }, ...scene }),
  ...createSegment('dog', text, [{ kind: 'ellipse', cx: 32, cy: 32, rx: 20, ry: 20 }]),
];
const scene = (...args: Parameters<typeof records>) => writeScene(toDocument(records(...args)));
const broken = (change: (json: { records: Record<string, unknown>[]; version: number }) => void): string => {
  const json = JSON.parse(scene()) as { records: Record<string, unknown>[]; version: number };
  change(json);
  return JSON.stringify(json);
};
const recordOf = (json: { records: Record<string, unknown>[] }, type: string) =>
  json.records.find((record) => record['type'] === type)!;

describe('bad use', () => {
  test.each([
    [['generate'], /missing required argument/],
    [['generate', 'x.json', '--steps', 'many'], /whole number from 1 to 1000/],
    [['generate', 'x.json', '--sampler', 'magic'], /Allowed choices/],
    [['paint'], /unknown command/],
    [['st', 'x.json', '--out', 'map.gif'], /ends in \.png/],
  ])('%j', async (args, words) => {
    const { code, err } = await spatext(...args);
    expect(code).toBe(2);
    expect(err).toMatch(words);
  });
});

describe('bad input is refused in words, and nothing is written', () => {
  test.each<[string, () => string, RegExp]>([
    ['not JSON', () => 'a picture of a dog', /not JSON/],
    ['not a scene', () => '{"format":"something"}', /not a scene/],
    ['a newer version', () => broken((json) => (json.version = 99)), /version 99/],
    ['500 segments', () => broken((json) => {
      for (let i = 0; i < 500; i += 1) json.records.push({ ...recordOf(json, 'segment'), id: `segment:s${i}` });
    }), /501 segments, at most 256/],
    ['points that are no numbers', () => broken((json) => (recordOf(json, 'segment')['shapes'] = [{ kind: 'polygon', points: [[null, 1], [2, 3], [4, 5]] }])), /shapes/],
    ['a canvas of 20,000 px', () => broken((json) => (recordOf(json, 'scene')['width'] = 20_000)), /width/],
    ['a text of 10,000 characters', () => broken((json) => (recordOf(json, 'scene')['text'] = 'x'.repeat(10_000))), /more than 2000 characters/],
    ['a segment without its slot', () => broken((json) => (recordOf(json, 'segment')['slot'] = 'slot:none')), /slot:none, which is not there/],
  ])('%s', async (name, content, words) => {
    const out = path.join(folder, `out ${name}`);
    const { code, err } = await spatext('generate', await file(`${name}.json`, content()), '--out', out);
    expect(code).toBe(3);
    expect(err).toMatch(words);
    expect(err.trim().split('\n').length).toBeLessThanOrEqual(2);
    expect(await readdir(out).catch(() => [])).toEqual([]);
  }); // prettier-ignore

  test('a missing scene, a folder in its place, a pack that is none', async () => {
    expect((await spatext('generate', path.join(folder, 'nowhere.json'))).code).toBe(3);
    expect((await spatext('generate', folder)).code).toBe(3);
    const { code, err } = await spatext('packs', 'check', folder);
    expect(code).toBe(3);
    expect(err).toMatch(/no model pack/);
  });

  test('a pack that is not there', async () => {
    const { code, err } = await spatext(
      'generate',
      await file('good.json', scene()),
      '--out',
      path.join(folder, 'o'),
      '--pack',
      'nothing',
    );
    expect(code).toBe(3);
    expect(err).toMatch(/no pack named nothing/);
  });
});

describe('what works', () => {
  test('one JSON document on stdout, progress on stderr', async () => {
    const { code, out, err } = await spatext(
      'generate',
      await file('json.json', scene()),
      '--out',
      path.join(folder, 'json'),
      '--json',
      '--seed',
      '5',
    );
    expect(code).toBe(0);
    const summary = JSON.parse(out) as {
      files: string[];
      seed: number;
      passes: number;
      pictures: { segments: { clipScore: number }[] }[];
    };
    expect(summary.seed).toBe(5);
    expect(summary.passes).toBe(3);
    expect(summary.pictures[0]?.segments[0]?.clipScore).toBeTypeOf('number');
    expect(await readdir(path.join(folder, 'json'))).toEqual(['json-seed5.png']);
    expect(err).toMatch(/denoising/);
  });

  test('the detail passes that a scene asks for, each in its segment alone', async () => {
    const segment = (key: string, cx: number, fields: Parameters<typeof createSegment>[3]) =>
      createSegment(key, `a ${key}`, [{ kind: 'ellipse', cx, cy: 20, rx: 6, ry: 6 }], fields);
    const asks = writeScene(
      toDocument([
        ...records(),
        ...segment('star', 12, { order: 2, detail: true }),
        ...segment('bird', 50, { order: 3, detail: true }),
        ...segment('ghost', 30, { order: 4, detail: true, visible: false }),
      ]),
    );
    const scenes = await file('detail.json', asks);
    type Summary = { files: string[]; passes: number; pictures: { detail: string[] }[] };
    const made = async (name: string, ...more: string[]): Promise<Summary> => {
      const out = path.join(folder, name);
      const ran = await spatext('generate', scenes, '--out', out, '--json', ...more);
      expect(ran.code, ran.err).toBe(0);
      expect(/detail pass of a bird/.test(ran.err)).toBe(more.length === 0);
      expect(await readdir(out)).toEqual(['detail-seed7.png']);
      return JSON.parse(ran.out) as Summary;
    };
    const [plain, passed] = [await made('without', '--no-detail'), await made('with')];
    expect(plain.pictures.map(({ detail }) => detail)).toEqual([[]]);
    expect(passed.pictures.map(({ detail }) => detail)).toEqual([['segment:star', 'segment:bird']]);
    expect(passed.passes).toBe(3 * plain.passes);
    const [before, after] = await Promise.all(
      [plain, passed].map(async ({ files }) => decodePicture(await readFile(files[0]!), 3)),
    );
    const changed = (from: number, to: number): number => {
      let count = 0;
      for (let y = 0; y < 64; y += 1)
        for (let x = from; x < to; x += 1) {
          const at = 3 * (y * 64 + x);
          if ([0, 1, 2].some((channel) => before!.data[at + channel] !== after!.data[at + channel])) count += 1;
        }
      return count;
    };
    // Both segments, and nothing between them or beyond.
    expect(changed(0, 24)).toBeGreaterThan(20);
    expect(changed(38, 64)).toBeGreaterThan(20);
    expect(changed(24, 38)).toBe(0);
  });

  test('odd texts: empty, emoji, right to left, very long words', async () => {
    for (const text of ['', '🐶🌈', 'كلب على الشاطئ', 'x'.repeat(1999)]) {
      const { code, err } = await spatext(
        'generate',
        await file('odd.json', scene({ text }, text)),
        '--out',
        path.join(folder, 'odd'),
        '--quiet',
      );
      expect(code, err).toBe(0);
    }
  });

  test('a polygon without area: a picture, and a warning that says so', async () => {
    const flat = broken((json) => (recordOf(json, 'segment')['shapes'] = [{ kind: 'polygon', points: [[1, 1], [5, 5], [9, 9]] }])); // prettier-ignore
    const { code, out } = await spatext(
      'generate',
      await file('flat.json', flat),
      '--out',
      path.join(folder, 'flat'),
      '--json',
      '--quiet',
    );
    expect(code).toBe(0);
    expect(out).toMatch(/"code": "empty"/);
  });

  test('two runs into one folder: the second is told so', async () => {
    const long = await file('long.json', scene({ sampler: { name: 'ddim', steps: 60 } }));
    const out = path.join(folder, 'both');
    const first = spatext('generate', long, '--out', out, '--quiet');
    await expect.poll(() => readdir(out).catch(() => []), { timeout: 20_000 }).toContain('.spatext-lock');
    const second = await spatext('generate', long, '--out', out, '--quiet');
    expect(second.code).toBe(5);
    expect(second.err).toMatch(/another run/);
    expect((await first).code).toBe(0);
    expect(await readdir(out)).toEqual(['long-seed7.png']);
  }, 180_000);

  test('Ctrl+C: exit code 130, no half-written file', async () => {
    const long = await file('stop.json', scene({ sampler: { name: 'ddim', steps: 1000 } }));
    const out = path.join(folder, 'stopped');
    const child = spawn(process.execPath, ['src/cli/run.ts', 'generate', long, '--out', out], {
      env: { ...process.env, SPATEXT_DATA: path.join(folder, 'data') },
    });
    await new Promise<void>((resolve) =>
      child.stderr.on('data', (chunk: Buffer) => /denoising/.test(chunk.toString()) && resolve()),
    );
    child.kill('SIGINT');
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect(code).toBe(130);
    expect(await readdir(out)).toEqual([]);
  }, 180_000);

  test('a full disk: said so, exit code 5, nothing half-written', async () => {
    const out = path.join(folder, 'full');
    const good = await file('full.json', scene({ width: 256, height: 256 }));
    // A few thousand bytes: the picture begins to be written and does not fit.
    const room = { SPATEXT_TEST_ROOM: `4000 ${out}`, NODE_OPTIONS: `--import ${NO_SPACE}` };
    const { code, err } = await spatextIn(room, 'generate', good, '--out', out, '--quiet');
    expect(err).toMatch(/disk is full/);
    expect(code).toBe(5);
    expect(await readdir(out)).toEqual([]);
  });

  test.skipIf(!canMount())('a disk that is really full: the same', async () => {
    const disk = path.join(folder, 'disk');
    await mkdir(disk);
    spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk]);
    try {
      await writeFile(path.join(disk, 'filler'), new Uint8Array(60_000));
      const good = await file('full.json', scene({ width: 256, height: 256 }));
      const { code, err } = await spatext('generate', good, '--out', path.join(disk, 'out'), '--quiet');
      expect(err).toMatch(/disk is full/);
      expect(code).toBe(5);
      expect(await readdir(path.join(disk, 'out'))).toEqual([]);
    } finally {
      spawnSync('umount', [disk]);
    }
  });
});
