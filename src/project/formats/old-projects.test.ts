import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { sceneOf, segmentsOf } from '#shared/document/document.ts';
import { readProject } from './project-file.ts';

// One file of each version that was ever released stays here for good; never write these anew.
test('a project of version 1 opens: scene, pictures, undo and results', async () => {
  const project = await readProject(await readFile('test/fixtures/projects/version-1.spatext'));
  expect(project.troubles).toEqual([]);
  expect(sceneOf(project.document)).toMatchObject({ seed: 4_000_000_000, text: 'at the beach, 海辺\nsecond line' });
  expect(segmentsOf(project.document)).toHaveLength(6);
  expect(project.undo).toMatchObject([{ label: 'Text', diff: { updated: [[{ text: 'before' }, {}]] } }]);
  expect(project.results).toMatchObject([{ id: 'result-test', seed: 12_345 }]);
  expect(project.blobs.size).toBe(3);
});
