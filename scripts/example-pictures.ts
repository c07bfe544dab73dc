// node scripts/example-pictures.ts: the pictures of the gallery, resources/examples/NAME.webp, made anew from the
// scenes by the embedded pack. To be run whenever the pack or an example changes.
import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { GenerateRequest } from '../src/shared/api/generation.ts';
import { toRecords } from '../src/shared/document/document.ts';
import { reportError } from '../src/cli/cli-errors.ts';
import { openEngineSession } from '../src/cli/engine-session.ts';
import { progressLine } from '../src/cli/progress-line.ts';
import { readSceneFrom } from '../src/cli/read-input.ts';

const EXAMPLES = path.resolve('resources/examples');
/** Side of a gallery picture in pixels, and its quality: some 10 kB each. */
const SIDE = 256;
const QUALITY = 82;

async function makePictures(): Promise<void> {
  const session = await openEngineSession();
  try {
    for (const name of (await readdir(EXAMPLES)).filter((file) => file.endsWith('.json')).toSorted()) {
      const document = await readSceneFrom(path.join(EXAMPLES, name), session.blobs);
      const line = progressLine(name);
      await session.run(GenerateRequest.parse({ records: toRecords(document) }), {
        progress: line.show,
        result: async ({ result }) => {
          const file = path.join(EXAMPLES, name.replace(/\.json$/, '.webp'));
          await sharp(await readFile(session.blobs.pathOf(result.picture)))
            .resize(SIDE, SIDE, { fit: 'inside' })
            .webp({ quality: QUALITY })
            .toFile(file);
          process.stdout.write(`${file}\n`);
        },
      });
      line.end();
    }
  } finally {
    await session.close();
  }
}

try {
  await makePictures();
} catch (error) {
  process.exitCode = reportError(error);
}
