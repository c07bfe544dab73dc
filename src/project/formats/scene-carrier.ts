import { deflateSync, inflateSync } from 'node:zlib';
import { z } from 'zod';
import { ResultId } from '#shared/api/generation.ts';
import type { Result } from '#shared/api/generation.ts';
import { blobsOf } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import { LIMITS } from '#shared/document/limits.ts';
import { readScene, writeScene } from '#shared/document/scene-file.ts';
import { StudioError } from '#shared/errors.ts';
import { hashOf } from '#engine/blobs/blob-store.ts';

/** Pictures inside a scene inside a picture: beyond this they are left out, with a word to the artist. */
const CARRIED_BLOBS = 24 * 1024 * 1024;

export interface Carried {
  readonly text: string;
  /** How many pictures there was no room for, or that could not be read. */
  readonly missing: number;
}

/** A scene as one text with its pictures in it, to travel inside other files. */
export async function carryScene(
  document: StudioDocument,
  readBlob: (hash: string) => Promise<Uint8Array>,
): Promise<Carried> {
  const blobs: Record<string, string> = {};
  let room = CARRIED_BLOBS;
  let missing = 0;
  for (const hash of [...blobsOf(document)].toSorted()) {
    const bytes = await readBlob(hash).catch(() => undefined);
    if (!bytes || bytes.length > room) {
      missing += 1;
      continue;
    }
    room -= bytes.length;
    blobs[hash] = Buffer.from(bytes).toString('base64');
  }
  return { text: writeScene(document, blobs), missing };
}

/** The scene of a text, its pictures stored. @throws StudioError bad-input, newer-version, too-large */
export async function unpackScene(
  text: string,
  writeBlob: (bytes: Uint8Array) => Promise<string>,
): Promise<StudioDocument> {
  const { document, blobs } = readScene(text);
  for (const [hash, base64] of Object.entries(blobs)) {
    const bytes = new Uint8Array(Buffer.from(base64, 'base64'));
    if (hashOf(bytes) !== hash)
      throw new StudioError('bad-input', `the picture ${hash.slice(0, 12)} inside is not the one its name says`);
    await writeBlob(bytes);
  }
  return document;
}

/** Deflated and in base64, for places that take only plain characters. */
export const toBase64 = (text: string): string => deflateSync(text, { level: 9 }).toString('base64');

/** @throws StudioError bad-input, too-large */
export function fromBase64(base64: string): string {
  try {
    return inflateSync(Buffer.from(base64, 'base64'), { maxOutputLength: LIMITS.sceneFileBytes }).toString('utf8');
  } catch (error) {
    throw new StudioError('bad-input', 'the scene inside the file is damaged', { cause: error });
  }
}

/** What is said of the result beside its scene: enough to tell which it was and to make it again. */
export const CarriedResult = z.object({
  id: ResultId,
  seed: z.number(),
  pack: z.object({ id: z.string(), name: z.string(), fingerprint: z.string() }),
  createdAt: z.number(),
});
export type CarriedResult = z.infer<typeof CarriedResult>;

export const carryResult = ({ id, seed, pack, createdAt }: Result): string =>
  JSON.stringify({ id, seed, pack, createdAt });

export function readCarriedResult(text: string | undefined): CarriedResult | null {
  if (text === undefined) return null;
  try {
    return CarriedResult.parse(JSON.parse(text));
  } catch {
    return null; // the scene is what matters
  }
}
