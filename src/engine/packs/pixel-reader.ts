import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { PackSummary } from '#shared/api/packs.ts';
import type { PackReader } from './catalogue.ts';
import type { HashLedger } from './hash-ledger.ts';
import { openPack } from './open-pack.ts';
import type { OpenPack } from './open-pack.ts';

/** Reads folders with a pack.json (SpaText pixel packs). */
export function pixelPackReader(ledger: HashLedger): PackReader<OpenPack> {
  return {
    claims: (target) =>
      stat(path.join(target, 'pack.json')).then(
        (info) => info.isFile(),
        () => false,
      ),
    async open(folder) {
      const opened = await openPack(folder, ledger);
      return { opened, summary: summaryOf(opened) };
    },
  };
}

export function summaryOf(opened: OpenPack): PackSummary {
  const { pack } = opened;
  return {
    id: pack.id,
    name: pack.name,
    kind: pack.kind,
    licence: pack.licence,
    source: 'folder',
    bytes: opened.bytes,
    mapSize: { width: pack.sampleSize, height: pack.sampleSize },
    outputSize: { width: pack.outputSize, height: pack.outputSize },
    anySize: false,
    defaults: {
      sampler: pack.defaults.sampler,
      steps: pack.defaults.steps,
      mode: pack.guidance.defaults.mode,
      globalScale: pack.guidance.defaults.globalScale,
      localScale: pack.guidance.defaults.localScale,
    },
    abilities: ['segments', 'picture-slots', 'negative-text', 'img2img', 'redo-segment', 'upscale', 'scores'],
    problem: null,
  };
}
