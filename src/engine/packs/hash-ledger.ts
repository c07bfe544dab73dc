import { readFileSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';

const Entry = z.object({ size: z.number(), mtimeMs: z.number(), ino: z.number(), sha256: z.string() });
const LedgerFile = z.object({ version: z.literal(1), files: z.record(z.string(), Entry) });

/** Remembers the hash of a file until its size, time or inode changes, so that start-up reads no weights. */
export interface HashLedger {
  hashOf(
    file: string,
    info: { size: number; mtimeMs: number; ino: number },
    compute: () => Promise<string>,
  ): Promise<string>;
}

/** A ledger kept in `file`; undefined: only for this process. A damaged ledger is begun anew. */
export function openHashLedger(file?: string): HashLedger {
  let files: Record<string, z.infer<typeof Entry>> = {};
  if (file) {
    try {
      files = LedgerFile.parse(JSON.parse(readFileSync(file, 'utf8'))).files;
    } catch {
      // Missing or damaged: it only costs hashing once more.
    }
  }
  const save = async (): Promise<void> => {
    if (!file) return;
    const temporary = `${file}.${process.pid}.tmp`;
    try {
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(temporary, JSON.stringify({ version: 1, files }));
      await rename(temporary, file);
    } catch {
      // A full or read-only disk must not keep a good pack from opening.
      await rm(temporary, { force: true }).catch(() => undefined);
    }
  };
  return {
    async hashOf(name, info, compute) {
      const known = files[name];
      if (known && known.size === info.size && known.mtimeMs === info.mtimeMs && known.ino === info.ino)
        return known.sha256;
      const sha256 = await compute();
      files[name] = { size: info.size, mtimeMs: info.mtimeMs, ino: info.ino, sha256 };
      await save();
      return sha256;
    },
  };
}
