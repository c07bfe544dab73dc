// npm run demo: every example scene with the embedded pack, pictures and a contact sheet in out/demo.
import { mkdir, readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { loadBitmaps } from '../src/engine/image/bitmaps.ts';
import { contactSheet, drawSegments } from '../src/engine/image/contact-sheet.ts';
import type { SheetTile } from '../src/engine/image/contact-sheet.ts';
import { decodePicture } from '../src/engine/image/picture.ts';
import { GenerateRequest } from '../src/shared/api/generation.ts';
import { sceneOf, toRecords } from '../src/shared/document/document.ts';
import { reportError } from '../src/cli/cli-errors.ts';
import { openEngineSession } from '../src/cli/engine-session.ts';
import { claimOutputFolder } from '../src/cli/output-folder.ts';
import { pictureWithScene } from '../src/cli/picture-file.ts';
import { progressLine } from '../src/cli/progress-line.ts';
import { readSceneFrom } from '../src/cli/read-input.ts';

const EXAMPLES = path.resolve('resources/examples');
const OUT = path.resolve(process.argv[2] ?? 'out/demo');
/** The dials to show beside the scene's own: [local, global]. */
const DIALS = [
  [1, 1.5],
  [6, 1.5],
  [3, 4],
] as const;

async function demo(): Promise<void> {
  await mkdir(OUT, { recursive: true });
  const session = await openEngineSession();
  const folder = await claimOutputFolder(OUT);
  const begin = performance.now();
  const rows: SheetTile[][] = [];
  try {
    const names = (await readdir(EXAMPLES)).filter((name) => name.endsWith('.json')).toSorted();
    for (const [index, name] of names.entries()) {
      const document = await readSceneFrom(path.join(EXAMPLES, name), session.blobs);
      const scene = sceneOf(document);
      const stem = name.replace(/\.json$/, '');
      const row: SheetTile[] = [
        {
          picture: await drawSegments(document, await loadBitmaps(document, session.blobs), 256),
          caption: `${scene.title}: ${scene.text}`,
        },
      ];
      const dials = [[scene.guidance.localScale, scene.guidance.globalScale] as const, ...DIALS];
      for (const [localScale, globalScale] of dials) {
        const line = progressLine(
          `${index + 1} of ${names.length}, ${stem}, segments ${localScale}, scene ${globalScale}`,
        );
        const guidance = { ...scene.guidance, localScale, globalScale };
        const records = toRecords({ ...document, [scene.id]: { ...scene, guidance } });
        await session.run(GenerateRequest.parse({ records }), {
          progress: line.show,
          result: async ({ result }) => {
            const file = `${stem}-segments${localScale}-scene${globalScale}.png`;
            await folder.write(file, await pictureWithScene(result, session.blobs));
            const scores = result.scores.map(({ clip }) => (clip ?? 0).toFixed(2)).join(' ');
            row.push({
              picture: await decodePicture(await readFile(session.blobs.pathOf(result.picture)), 3),
              caption: `segments ${localScale}, scene ${globalScale}: ${scores}`,
            });
          },
        });
        line.end();
      }
      rows.push(row);
    }
    const sheet = await folder.write('contact-sheet.png', await contactSheet(rows, 256));
    const seconds = (performance.now() - begin) / 1000;
    process.stdout.write(
      `${rows.length} scenes, ${rows.length * (DIALS.length + 1)} pictures in ${seconds.toFixed(1)} s\n${sheet}\n`,
    );
  } finally {
    await folder.release();
    await session.close();
  }
}

try {
  await demo();
} catch (error) {
  process.exitCode = reportError(error);
}
