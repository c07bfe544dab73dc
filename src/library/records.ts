import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { z } from 'zod';
import { DocumentRecords } from '#shared/document/document.ts';
import type { DocumentRecord } from '#shared/document/records.ts';
import { LIMITS } from '#shared/document/limits.ts';
import { migrateScene } from '#shared/document/migrations.ts';

/** A snapshot as it lies in the database: deflated JSON, about a tenth of its text. */
export const packRecords = (records: readonly DocumentRecord[]): Uint8Array =>
  deflateRawSync(JSON.stringify(records), { level: 4 });

/** A snapshot of any earlier version, as records of this one. */
export function unpackRecords(bytes: Uint8Array, version: number): DocumentRecords {
  const text = inflateRawSync(bytes, { maxOutputLength: 4 * LIMITS.sceneFileBytes }).toString('utf8');
  const file = migrateScene({ format: 'spatext-scene', version, records: JSON.parse(text) as unknown }, version);
  return z.looseObject({ records: DocumentRecords }).parse(file).records;
}
