import type { PackSummary } from '#shared/api/packs.ts';
import type { HashLedger } from '../packs/hash-ledger.ts';
import type { PackReader } from '../packs/catalogue.ts';
import { embeddedPackFolders } from '../packs/embedded.ts';
import { modelsFolder } from '../packs/models-folder.ts';
import { openPack } from '../packs/open-pack.ts';
import type { OpenPack } from '../packs/open-pack.ts';
import { pixelPackReader } from '../packs/pixel-reader.ts';
import type { ChosenDevice } from '../runtime/devices.ts';
import type { Maker } from './maker.ts';
import type { SpeedLedger } from './speed-ledger.ts';
import { PixelMaker } from './pixel/pixel-maker.ts';
import type { OpenStock } from '../stock/open-stock.ts';
import { stockPackReader } from '../stock/open-stock.ts';
import { StockMaker } from '../stock/stock-maker.ts';

/** A recognised pack of any kind, ready to be loaded. */
export type OpenedPack =
  | { readonly kind: 'pixel'; readonly fingerprint: string; readonly pack: OpenPack }
  | {
      readonly kind: 'stock';
      readonly fingerprint: string;
      readonly stock: OpenStock;
      /** The embedded pack, whose CLIP judges the pictures; null: there is none. */
      readonly companion: () => Promise<OpenPack | null>;
    };

/** Every kind of pack this engine knows, in the order in which a path is offered to them. */
export function packReaders(ledger: HashLedger): PackReader<OpenedPack>[] {
  const pixel = pixelPackReader(ledger);
  return [
    {
      claims: (target) => pixel.claims(target),
      async open(target) {
        const { summary, opened } = await pixel.open(target);
        return { summary, opened: { kind: 'pixel', fingerprint: opened.fingerprint, pack: opened } };
      },
    },
    {
      claims: (target) => stockPackReader.claims(target),
      async open(target) {
        const { summary, opened } = await stockPackReader.open(target);
        return {
          summary: { ...summary, abilities: [...summary.abilities, 'scores'] },
          opened: {
            kind: 'stock',
            fingerprint: opened.fingerprint,
            stock: opened,
            companion: () => embeddedPack(ledger),
          },
        };
      },
    },
  ];
}

/** The default pack that came with the studio; if it is not good, the newest that is. */
async function embeddedPack(ledger: HashLedger): Promise<OpenPack | null> {
  for (const folder of await embeddedPackFolders(modelsFolder())) {
    const pack = await openPack(folder, ledger).catch(() => null);
    if (pack) return pack;
  }
  return null;
}

/** The workflow of a pack. Networks are loaded by its first job. */
export function openMaker(opened: OpenedPack, summary: PackSummary, device: ChosenDevice, speeds?: SpeedLedger): Maker {
  switch (opened.kind) {
    case 'pixel':
      return new PixelMaker(opened.pack, summary, device);
    case 'stock':
      return new StockMaker(opened.stock, summary, device, {
        companion: opened.companion,
        ...(speeds && { speeds }),
      });
  }
}
