import { readFileSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { Speed } from './pace.ts';

const LedgerFile = z.object({
  version: z.literal(1),
  speeds: z.record(z.string(), z.object({ passMs: z.number().positive(), tailMs: z.number().min(0) })),
});

/** How fast models ran on this machine, so that the time left can be told before the first pass. */
export interface SpeedLedger {
  get(model: string): Speed | undefined;
  put(model: string, speed: Speed): Promise<void>;
}

/** The models that were used last are remembered, up to this many. */
const MOST = 100;

/** A ledger kept in `file`; undefined: only for this process. A damaged ledger is begun anew. */
export function openSpeedLedger(file?: string): SpeedLedger {
  const speeds = new Map<string, Speed>();
  if (file) {
    try {
      for (const [model, speed] of Object.entries(LedgerFile.parse(JSON.parse(readFileSync(file, 'utf8'))).speeds))
        speeds.set(model, speed);
    } catch {
      // Missing or damaged: times are then guessed until something was measured.
    }
  }
  return {
    get: (model) => speeds.get(model),
    async put(model, speed) {
      speeds.delete(model);
      speeds.set(model, speed);
      for (const old of [...speeds.keys()].slice(0, -MOST)) speeds.delete(old);
      if (!file) return;
      const temporary = `${file}.${process.pid}.tmp`;
      try {
        await mkdir(path.dirname(file), { recursive: true });
        await writeFile(temporary, JSON.stringify({ version: 1, speeds: Object.fromEntries(speeds) }));
        await rename(temporary, file);
      } catch {
        // A full or read-only disk must not cost the picture.
        await rm(temporary, { force: true }).catch(() => undefined);
      }
    },
  };
}
