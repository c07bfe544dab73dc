// Writes the JSON Schemas of the file formats that other programs read and write. A test tells when they are stale.
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { sceneJsonSchema } from '../src/shared/document/json-schema.ts';

const folder = fileURLToPath(new URL('../docs/schema/', import.meta.url));
await mkdir(folder, { recursive: true });
await writeFile(`${folder}scene.schema.json`, `${JSON.stringify(sceneJsonSchema(), null, 2)}\n`);
console.log('docs/schema/scene.schema.json');
