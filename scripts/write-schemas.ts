// Writes the JSON Schemas of the file formats that other programs read and write. A test tells when they are stale.
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { projectJsonSchema } from '../src/project/formats/project-schema.ts';
import { sceneJsonSchema } from '../src/shared/document/json-schema.ts';

const folder = fileURLToPath(new URL('../docs/schema/', import.meta.url));
await mkdir(folder, { recursive: true });
for (const [name, schema] of Object.entries({ scene: sceneJsonSchema(), project: projectJsonSchema() })) {
  await writeFile(`${folder}${name}.schema.json`, `${JSON.stringify(schema, null, 2)}\n`);
  console.log(`docs/schema/${name}.schema.json`);
}
