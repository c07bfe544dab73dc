import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import path from 'node:path';
import { loadBitmaps } from '#engine/image/bitmaps.ts';
import { encodePng } from '#engine/image/picture.ts';
import type { Picture } from '#engine/image/picture.ts';
import { sceneFrame, framedDocument } from '#engine/spatext/frame.ts';
import { segmentName, sceneOf } from '#shared/document/document.ts';
import { colourOf } from '#shared/document/palette.ts';
import { mapWarnings } from '#shared/masks/warnings.ts';
import { disjointMasks } from '#shared/masks/segment-mask.ts';
import { openEngineSession } from '../engine-session.ts';
import { claimOutputFolder } from '../output-folder.ts';
import { readSceneFrom } from '../read-input.ts';

export function registerMap(program: Command): void {
  program
    .command('st')
    .description('Draw the map that the model sees, and say what may go wrong with each segment.')
    .argument('<scene>', 'a scene')
    .requiredOption('--out <file>', 'a .png file', (file) => {
      if (!file.toLowerCase().endsWith('.png')) throw new InvalidArgumentError('expected a name that ends in .png.');
      return file;
    })
    .option('--pack <id>', 'model pack')
    .option('--json', 'print the warnings as JSON')
    .action(async (file: string, options: { out: string; pack?: string; json?: boolean }) => {
      const session = await openEngineSession();
      try {
        const document = await readSceneFrom(file, session.blobs);
        const { packs, defaultPack } = await session.engine.packs();
        const wanted = options.pack ?? sceneOf(document).pack ?? defaultPack;
        const size = packs.find(({ id }) => id === wanted)?.mapSize ?? { width: 64, height: 64 };
        const bitmaps = await loadBitmaps(document, session.blobs);
        const { segments } = disjointMasks(framedDocument(document, sceneFrame(sceneOf(document))), size, bitmaps);
        const data = new Uint8Array(size.width * size.height * 3).fill(24);
        const rows = segments.map(({ segmentId, mask }) => {
          const record = document[segmentId];
          const colour = colourOf(record?.type === 'segment' ? record.color : 0);
          const rgb = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
          let covered = 0;
          mask.data.forEach((value, i) => {
            if (value === 0) return;
            covered += 1;
            data.set(rgb, i * 3);
          });
          return {
            segment: segmentId,
            name: record?.type === 'segment' ? segmentName(document, record) : '',
            colour,
            area: covered / (size.width * size.height),
          };
        });
        const map: Picture = { ...size, channels: 3, data };
        const large = enlargeByBlocks(map, Math.max(1, Math.floor(512 / size.width)));
        const folder = await claimOutputFolder(path.dirname(path.resolve(options.out)));
        try {
          await folder.write(path.basename(options.out), await encodePng(large));
        } finally {
          await folder.release();
        }
        const warnings = mapWarnings(document, { mapWidth: size.width, mapHeight: size.height, bitmaps });
        if (options.json) process.stdout.write(`${JSON.stringify({ map: size, segments: rows, warnings }, null, 2)}\n`);
        else {
          for (const row of rows)
            process.stdout.write(`${row.colour}  ${(row.area * 100).toFixed(1).padStart(5)} %  ${row.name}\n`);
          for (const warning of warnings) process.stdout.write(`warning (${warning.code}): ${warning.message}\n`);
        }
      } finally {
        await session.close();
      }
    });
}

/** Every cell as a block of pixels: nothing is smoothed, the cells are what one wants to see. */
function enlargeByBlocks(picture: Picture, factor: number): Picture {
  const width = picture.width * factor;
  const height = picture.height * factor;
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1) {
      const from = (Math.floor(y / factor) * picture.width + Math.floor(x / factor)) * 3;
      data.set(picture.data.subarray(from, from + 3), (y * width + x) * 3);
    }
  return { width, height, channels: 3, data };
}
