import { z } from 'zod';
import type { CallOutput } from '#shared/api/calls.ts';
import type { Result } from '#shared/api/generation.ts';
import { sceneOf, toDocument } from '#shared/document/document.ts';
import { DocumentRecord } from '#shared/document/records.ts';
import type { Box, SlotContent } from '#shared/document/records.ts';
import { shapesBounds } from '#shared/masks/bounds.ts';
import { StudioError } from '#shared/errors.ts';
import type { Database } from './database.ts';
import { LONGEST_ROW } from './dot-kernel.ts';
import { EmbeddingIndex, encode, toUnit } from './embedding-index.ts';

export type Similar = CallOutput<'library.similar'>;

/** Embeddings read at once while an index is loaded: some milliseconds. */
const PORTION = 2000;

const CodeRow = z.object({ id: z.number(), scale: z.number(), codes: z.instanceof(Uint8Array) });
const FoundRow = z.object({
  id: z.number(),
  text: z.string(),
  box: z.string().nullable(),
  full_values: z.instanceof(Uint8Array),
  result: z.string().nullable(),
  picture: z.string().nullable(),
  item: z.string().nullable(),
  records: z.string().nullable(),
});

const StoredBox = z.object({ x: z.number(), y: z.number(), width: z.number(), height: z.number() });

export interface NewEmbedding {
  readonly owner: { readonly seq: number } | { readonly item: string };
  readonly text: string;
  readonly box: Box | null;
  readonly values: Float32Array;
}

/** Embeddings in the database, and of each space that is searched an index in memory. */
export class Embeddings {
  readonly #database: Database;
  readonly #indexes = new Map<number, EmbeddingIndex>();
  readonly #loading = new Map<number, { readonly index: EmbeddingIndex; last: number }>();

  constructor(database: Database) {
    this.#database = database;
  }

  /** @throws StudioError bad-input if the values have no direction or not the width of their space */
  add(space: string, embedding: NewEmbedding): void {
    const unit = this.#unit(space, embedding.values);
    const spaceId = this.#spaceFor(space, unit.length);
    const { codes, scale } = encode(unit);
    const seq = 'seq' in embedding.owner ? embedding.owner.seq : null;
    const item = 'item' in embedding.owner ? embedding.owner.item : null;
    const { lastInsertRowid } = this.#database
      .prepare('INSERT INTO embeddings (space, seq, item, text, box, scale, codes) VALUES (?, ?, ?, ?, ?, ?, ?)')
      .run(spaceId, seq, item, embedding.text, embedding.box && JSON.stringify(embedding.box), scale, asBlob(codes));
    const id = Number(lastInsertRowid);
    this.#database.prepare('INSERT INTO embedding_values (id, full_values) VALUES (?, ?)').run(id, asBlob(unit));
    this.#indexes.get(spaceId)?.add(id, { codes, scale });
  }

  /** After results were deleted or items removed: they are not found any more. Rows go with their owners. */
  forget(owner: { readonly seq: number } | { readonly item: string }): void {
    for (const { id, space } of this.#of(owner)) this.#indexes.get(space)?.remove(id);
  }

  /** After results came back. */
  remember(seq: number): void {
    for (const { id, space, scale, codes } of this.#of({ seq }))
      this.#indexes.get(space)?.add(id, { codes: asCodes(codes), scale });
  }

  /**
   * Loads a part of the index of the space used last, so that the first search need not wait.
   * @returns whether there is more to load; meanwhile other requests may be answered
   */
  warm(): boolean {
    const space = this.#database.prepare('SELECT space FROM embeddings ORDER BY id DESC LIMIT 1').pluck().get();
    return typeof space === 'number' && !this.#indexes.has(space) && this.#loadPortion(space);
  }

  similar(space: string, values: Float32Array, limit: number): Similar {
    const known = z
      .object({ id: z.number(), width: z.number() })
      .optional()
      .parse(this.#database.prepare('SELECT id, width FROM spaces WHERE name = ?').get(space));
    if (!known) return [];
    const query = this.#unit(space, values);
    if (query.length !== known.width)
      throw new StudioError(
        'bad-input',
        `an embedding of width ${query.length}, the space ${space} has ${known.width}`,
      );
    const index = this.#indexFor(known.id);
    // Codes are off by up to a thousandth or so: more candidates than wanted, ranked again by their full values.
    const candidates = index.nearest(query, 4 * limit + 64);
    const read = this.#database.prepare(`
      SELECT e.id, e.text, e.box, v.full_values, r.id AS result, r.picture, i.id AS item, i.records
      FROM embeddings e JOIN embedding_values v ON v.id = e.id
      LEFT JOIN results r ON r.seq = e.seq LEFT JOIN items i ON i.id = e.item WHERE e.id = ?`);
    return candidates
      .map(({ id }) => FoundRow.parse(read.get(id)))
      .map((row) => ({ row, cosine: dot(query, asFloats(row.full_values)) }))
      .toSorted((a, b) => b.cosine - a.cosine || b.row.id - a.row.id)
      .slice(0, limit)
      .map(({ row, cosine }) => toSimilar(row, cosine));
  }

  #indexFor(space: number): EmbeddingIndex {
    while (!this.#indexes.has(space) && this.#loadPortion(space));
    const index = this.#indexes.get(space);
    if (!index) throw new StudioError('internal', 'the index was not loaded');
    return index;
  }

  /** @returns whether more is to come; after the last portion the index is among #indexes */
  #loadPortion(space: number): boolean {
    let loading = this.#loading.get(space);
    if (!loading) {
      const one = (sql: string): number => z.number().parse(this.#database.prepare(sql).pluck().get(space));
      loading = { index: new EmbeddingIndex(one('SELECT width FROM spaces WHERE id = ?')), last: 0 };
      loading.index.reserve(one('SELECT count(*) FROM embeddings WHERE space = ?'));
      this.#loading.set(space, loading);
    }
    const rows = this.#database
      .prepare('SELECT id, scale, codes FROM embeddings WHERE space = ? AND id > ? ORDER BY id LIMIT ?')
      .all(space, loading.last, PORTION);
    for (const row of rows) {
      const { id, scale, codes } = row as z.infer<typeof CodeRow>; // our own rows, a hundred thousand of them
      loading.index.add(id, { codes: asCodes(codes), scale });
      loading.last = id;
    }
    if (rows.length === PORTION) return true;
    // Few are deleted: taking them out again is much faster than looking up the result of each.
    const deleted = this.#database
      .prepare('SELECT e.id FROM results r JOIN embeddings e ON e.seq = r.seq WHERE r.deleted_at IS NOT NULL')
      .pluck()
      .all();
    for (const id of deleted) if (typeof id === 'number') loading.index.remove(id);
    this.#loading.delete(space);
    this.#indexes.set(space, loading.index);
    return false;
  }

  #spaceFor(name: string, width: number): number {
    this.#database.prepare('INSERT OR IGNORE INTO spaces (name, width) VALUES (?, ?)').run(name, width);
    const row = z
      .object({ id: z.number(), width: z.number() })
      .parse(this.#database.prepare('SELECT id, width FROM spaces WHERE name = ?').get(name));
    if (row.width !== width)
      throw new StudioError('bad-input', `an embedding of width ${width} in the space ${name} of width ${row.width}`);
    return row.id;
  }

  #unit(space: string, values: Float32Array): Float32Array {
    if (values.length === 0 || values.length > LONGEST_ROW)
      throw new StudioError('bad-input', `an embedding of width ${values.length} in the space ${space}`);
    try {
      return toUnit(values);
    } catch (error) {
      throw StudioError.from(error, `the space ${space}`);
    }
  }

  #of(owner: { readonly seq: number } | { readonly item: string }): (z.infer<typeof CodeRow> & { space: number })[] {
    const [column, value] = 'seq' in owner ? ['seq', owner.seq] : ['item', owner.item];
    return z
      .array(CodeRow.extend({ space: z.number() }))
      .parse(this.#database.prepare(`SELECT id, space, scale, codes FROM embeddings WHERE ${column} = ?`).all(value));
  }
}

function toSimilar(row: z.infer<typeof FoundRow>, cosine: number): Similar[number] {
  const { text, picture } = row;
  if (row.item !== null)
    return { kind: 'item', id: row.item, text, cosine, picture: null, content: firstSlot(row.records ?? '[]') };
  const box = row.box === null ? null : StoredBox.parse(JSON.parse(row.box));
  const content: SlotContent | null =
    picture && box ? { kind: 'crop', blob: picture, result: row.result, box, mask: null } : null;
  return { kind: 'result', id: row.result ?? '', text, cosine, picture, content };
}

/** What a saved segment's slot holds, or null if its records are of another make. */
function firstSlot(records: string): SlotContent | null {
  const parsed = z.array(DocumentRecord).safeParse(JSON.parse(records));
  const segment = parsed.data?.find((record) => record.type === 'segment');
  const slot = parsed.data?.find((record) => record.id === segment?.slot);
  // A mix points at two more slots, which the caller of a search does not have.
  return slot?.type === 'slot' && slot.content.kind !== 'mix' ? slot.content : null;
}

/** The part of a result's picture that a segment covers, in the picture's pixels; null if it lies outside. */
export function segmentBox(result: Result, segmentId: string): Box | null {
  const segment = result.records.find((record) => record.id === segmentId);
  if (segment?.type !== 'segment') return null;
  const scene = sceneOf(toDocument(result.records));
  const bounds = segment.invert
    ? { left: 0, top: 0, right: scene.width, bottom: scene.height }
    : shapesBounds(segment.shapes);
  if (!bounds) return null;
  const scaleX = result.width / scene.width;
  const scaleY = result.height / scene.height;
  const left = Math.max(0, Math.floor((bounds.left - segment.grow) * scaleX));
  const top = Math.max(0, Math.floor((bounds.top - segment.grow) * scaleY));
  const width = Math.min(result.width, Math.ceil((bounds.right + segment.grow) * scaleX)) - left;
  const height = Math.min(result.height, Math.ceil((bounds.bottom + segment.grow) * scaleY)) - top;
  return width >= 1 && height >= 1 ? { x: left, y: top, width, height } : null;
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let index = 0; index < a.length; index += 1) sum += (a[index] ?? 0) * (b[index] ?? 0);
  return sum;
}

const asBlob = (values: Float32Array | Int8Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
const asCodes = (bytes: Uint8Array): Int8Array => new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
/** Bytes from the database may start anywhere; floats may not. */
const asFloats = (bytes: Uint8Array): Float32Array => new Float32Array(Uint8Array.from(bytes).buffer);
