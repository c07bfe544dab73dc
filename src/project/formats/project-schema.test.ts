import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { projectJsonSchema } from './project-schema.ts';

test('docs/schema/project.schema.json is up to date (node scripts/write-schemas.ts)', async () => {
  const written: unknown = JSON.parse(await readFile('docs/schema/project.schema.json', 'utf8'));
  expect(written).toEqual(JSON.parse(JSON.stringify(projectJsonSchema())));
});
