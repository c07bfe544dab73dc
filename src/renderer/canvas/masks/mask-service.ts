import { sceneOf, segmentsOf } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import type { Shape } from '#shared/document/geometry.ts';
import type { SceneRecord, SegmentId, SegmentRecord } from '#shared/document/records.ts';
import { StudioError } from '#shared/errors.ts';
import type { BlobUrls, FromWorker, MaskAnswers, MaskRequest, ToWorker } from './protocol.ts';
import { Outline } from './outline.ts';

export interface MaskServiceOptions {
  blobUrl(hash: string): string;
  /** A segment's outline is new; ask `outline(id)`. */
  onOutline(id: SegmentId): void;
  onError(error: StudioError): void;
}

/** From so many segments without any outline on, all are sketched before the first is traced finely. */
const SKETCH_FROM = 4;

/** Outlines kept for undo besides those that are shown. */
const REMEMBERED = 160;

/** The parts of a segment that decide its area. */
interface AreaKey {
  readonly shapes: readonly Shape[];
  readonly rest: string;
}

const keyOf = (scene: SceneRecord, segment: SegmentRecord): AreaKey => ({
  shapes: segment.shapes,
  rest: [scene.width, scene.height, segment.grow, segment.smooth, segment.feather, segment.invert].join(' '),
});
const sameKey = (a: AreaKey | undefined, b: AreaKey): boolean => a?.shapes === b.shapes && a.rest === b.rest;

/**
 * Keeps an outline for each segment, made by a worker. Only what changed is traced again; one request is in flight, so
 * that what is outdated before its turn is never traced; and outlines are remembered with the shapes they came from,
 * so that undo shows the old one at once.
 */
export class MaskService {
  readonly #worker: Worker;
  readonly #options: MaskServiceOptions;
  readonly #outlines = new Map<SegmentId, { key: AreaKey; outline: Outline }>();
  readonly #remembered = new WeakMap<readonly Shape[], Map<string, Outline>>();
  readonly #recent: (readonly Shape[])[] = [];
  readonly #waiting = new Map<number, { resolve(answer: never): void; reject(error: Error): void }>();
  #wanted = new Map<SegmentId, { key: AreaKey; segment: SegmentRecord }>();
  #scene: SceneRecord | undefined;
  #tracing = false;
  #sketching = false;
  #nextId = 0;
  #closed = false;

  constructor(options: MaskServiceOptions) {
    this.#options = options;
    this.#worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'masks' });
    this.#worker.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => {
      const waiting = this.#waiting.get(data.id);
      this.#waiting.delete(data.id);
      if ('error' in data) waiting?.reject(new StudioError('internal', `mask: ${data.error}`));
      else waiting?.resolve(data.answer as never);
    });
    this.#worker.addEventListener('error', (event) => {
      const error = new StudioError('internal', `mask worker: ${event.message || 'could not be started'}`);
      for (const waiting of this.#waiting.values()) waiting.reject(error);
      this.#waiting.clear();
    });
  }

  /** Follows the document; what lies in `first` is traced before the rest. */
  update(document: StudioDocument, first: readonly SegmentId[]): void {
    const scene = sceneOf(document);
    this.#scene = scene;
    const segments = segmentsOf(document);
    const alive = new Set<string>(segments.map((segment) => segment.id));
    for (const id of this.#outlines.keys()) if (!alive.has(id)) this.#outlines.delete(id);
    const wanted = new Map<SegmentId, { key: AreaKey; segment: SegmentRecord }>();
    const sorted = segments.toSorted((a, b) => Number(first.includes(b.id)) - Number(first.includes(a.id)));
    for (const segment of sorted) {
      const key = keyOf(scene, segment);
      if (sameKey(this.#outlines.get(segment.id)?.key, key)) continue;
      const known = this.#remembered.get(segment.shapes)?.get(key.rest);
      if (known) this.#set(segment.id, key, known);
      else wanted.set(segment.id, { key, segment });
    }
    this.#wanted = wanted;
    void this.#traceNext();
  }

  /** The last known outline of a segment, current or not. */
  outline(id: SegmentId): Outline | undefined {
    return this.#outlines.get(id)?.outline;
  }

  /** Whether the outline shows what the document says. */
  isCurrent(id: SegmentId): boolean {
    return !this.#wanted.has(id);
  }

  get settled(): boolean {
    return this.#wanted.size === 0;
  }

  /** @throws StudioError if the worker failed */
  ask<K extends MaskRequest['kind']>(request: Extract<MaskRequest, { kind: K }>): Promise<MaskAnswers[K]> {
    this.#nextId += 1;
    const message: ToWorker = { id: this.#nextId, request, blobs: this.#blobsFor(request) };
    return new Promise((resolve, reject) => {
      this.#waiting.set(message.id, { resolve, reject });
      this.#worker.postMessage(message);
    });
  }

  destroy(): void {
    this.#closed = true;
    this.#worker.terminate();
    for (const { outline } of this.#outlines.values()) outline.destroy();
  }

  #remember({ shapes, rest }: AreaKey, outline: Outline): void {
    let shelf = this.#remembered.get(shapes);
    if (!shelf) {
      shelf = new Map();
      this.#remembered.set(shapes, shelf);
      this.#recent.push(shapes);
      // the document's undo stack would keep a thousand of them alive
      if (this.#recent.length > REMEMBERED) this.#remembered.delete(this.#recent.shift() ?? shapes);
    }
    shelf.set(rest, outline);
  }

  #set(id: SegmentId, key: AreaKey, outline: Outline): void {
    this.#outlines.set(id, { key, outline });
    this.#options.onOutline(id);
  }

  async #traceNext(): Promise<void> {
    if (this.#tracing || this.#closed) return;
    const unseen = [...this.#wanted].filter(([id]) => !this.#outlines.has(id));
    const next = unseen[0] ?? this.#wanted.entries().next().value;
    const scene = this.#scene;
    if (!next || !scene) return;
    const [id, { key, segment }] = next;
    if (unseen.length >= SKETCH_FROM) this.#sketching = true;
    else if (unseen.length === 0) this.#sketching = false;
    const detail = this.#sketching ? 'draft' : 'full';
    this.#tracing = true;
    try {
      const outline = new Outline(await this.ask({ kind: 'trace', scene, segment, detail }));
      if (this.#closed) return;
      if (detail === 'draft') {
        // not the real one: it stays wanted
        this.#outlines.set(id, { key: { ...key, rest: '' }, outline });
        this.#options.onOutline(id);
        return;
      }
      this.#remember(key, outline);
      // an edit may have come in the meantime; its own turn follows, but showing this one is better than the old
      if (sameKey(this.#wanted.get(id)?.key, key)) this.#wanted.delete(id);
      this.#set(id, key, outline);
    } catch (thrown) {
      this.#wanted.delete(id);
      if (!this.#closed) this.#options.onError(StudioError.from(thrown));
    } finally {
      this.#tracing = false;
      void this.#traceNext();
    }
  }

  #blobsFor(request: MaskRequest): BlobUrls {
    const hashes = new Set<string>();
    const visit = (shapes: readonly Shape[]): void => {
      for (const shape of shapes) {
        if (shape.kind === 'bitmap') hashes.add(shape.blob);
        else if (shape.kind === 'group') visit(shape.shapes);
      }
    };
    if (request.kind === 'trace') visit(request.segment.shapes);
    else if ('records' in request)
      for (const record of request.records) if (record.type === 'segment') visit(record.shapes);
    return Object.fromEntries([...hashes].map((hash) => [hash, this.#options.blobUrl(hash)]));
  }
}
