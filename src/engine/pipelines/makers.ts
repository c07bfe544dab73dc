import type { PackSummary } from '#shared/api/packs.ts';
import type { HashLedger } from '../packs/hash-ledger.ts';
import type { PackReader } from '../packs/catalogue.ts';
import type { OpenPack } from '../packs/open-pack.ts';
import { pixelPackReader } from '../packs/pixel-reader.ts';
import type { ChosenDevice } from '../runtime/devices.ts';
import type { Maker } from './maker.ts';
import { PixelMaker } from './pixel/pixel-maker.ts';
import type { OpenStock } from '../stock/open-stock.ts';
import { stockPackReader } from '../stock/open-stock.ts';
import { StockMaker } from '../stock/stock-maker.ts';

/** A recognised pack of any kind, ready to be loaded. */
export type OpenedPack =
  | { readonly kind: 'pixel'; readonly fingerprint: string; readonly pack: OpenPack }
  | { readonly kind: 'stock'; readonly fingerprint: string; readonly stock: OpenStock };

/** Every kind of pack this engine knows, in the order in which a path is offered to them. */
export function packReaders(ledger: HashLedger): PackReader<OpenedPack>[] {
  const pixel = pixelPackReader(ledger);
  return [
    {
      claims: (path) => pixel.claims(path),
      async open(path) {
        const { summary, opened } = await pixel.open(path);
        return { summary, opened: { kind: 'pixel', fingerprint: opened.fingerprint, pack: opened } };
      },
    },
    {
      claims: (path) => stockPackReader.claims(path),
      async open(path) {
        const { summary, opened } = await stockPackReader.open(path);
        return { summary, opened: { kind: 'stock', fingerprint: opened.fingerprint, stock: opened } };
      },
    },
  ];
}

/** The workflow of a pack. Networks are loaded by its first job. */
export function openMaker(opened: OpenedPack, summary: PackSummary, device: ChosenDevice): Maker {
  switch (opened.kind) {
    case 'pixel':
      return new PixelMaker(opened.pack, summary, device);
    case 'stock':
      return new StockMaker(opened.stock, summary, device);
  }
}
