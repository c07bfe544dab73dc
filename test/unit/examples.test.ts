// The example scenes that come with the studio: good files for any program, and without a single warning.
import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { segmentsOf, sceneOf } from '../../src/shared/document/document.ts';
import { readScene } from '../../src/shared/document/scene-file.ts';
import { NO_BITMAPS } from '../../src/shared/masks/rasterize.ts';
import { mapWarnings } from '../../src/shared/masks/warnings.ts';

const folder = path.resolve('resources/examples');
const files = (await readdir(folder)).filter((name) => name.endsWith('.json'));
const schema = z.fromJSONSchema(
  JSON.parse(await readFile(path.resolve('docs/schema/scene.schema.json'), 'utf8')) as Parameters<
    typeof z.fromJSONSchema
  >[0],
);

test('there are ten', () => {
  expect(files).toHaveLength(10);
});

describe.each(files)('%s', (name) => {
  test('fits the published schema, has two to six segments, a title and a word on what it shows', async () => {
    const text = await readFile(path.join(folder, name), 'utf8');
    expect(schema.safeParse(JSON.parse(text)).error).toBeUndefined();
    const { document } = readScene(text);
    const segments = segmentsOf(document);
    expect(segments.length).toBeGreaterThanOrEqual(2);
    expect(segments.length).toBeLessThanOrEqual(6);
    expect(sceneOf(document).title).not.toBe('');
    expect(sceneOf(document).note).not.toBe('');
  });
  test('nothing in it is too small, hidden, split, outside or without words', async () => {
    const { document } = readScene(await readFile(path.join(folder, name), 'utf8'));
    expect(mapWarnings(document, { mapWidth: 64, mapHeight: 64, bitmaps: NO_BITMAPS })).toEqual([]);
  });
});
