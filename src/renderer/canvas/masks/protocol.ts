import type { Point } from '#shared/document/geometry.ts';
import type { DocumentRecord, SceneRecord, SegmentId, SegmentRecord } from '#shared/document/records.ts';
import type { Rect } from '../geometry/boxes.ts';

/** Where the worker finds the pixels of bitmap shapes: URL by hash. */
export type BlobUrls = Readonly<Record<string, string>>;

/** What the mask worker is asked. All answers are in scene pixels. */
export type MaskRequest =
  | { readonly kind: 'trace'; readonly scene: SceneRecord; readonly segment: SegmentRecord; readonly detail: 'draft' | 'full' }
  /** Which segment each cell of the model's map belongs to. */
  | { readonly kind: 'map'; readonly records: readonly DocumentRecord[]; readonly width: number; readonly height: number }
  /** The empty area around a point, between the visible segments. */
  | { readonly kind: 'fill-empty'; readonly records: readonly DocumentRecord[]; readonly at: Point }
  /** The area of one colour around a point of the picture that covers the scene. */
  | { readonly kind: 'fill-colour'; readonly scene: SceneRecord; readonly picture: ImageData; readonly at: Point; readonly tolerance: number }
  /** A rough outline moved onto the edges of the picture that covers the scene. */
  | { readonly kind: 'snap'; readonly scene: SceneRecord; readonly picture: ImageData; readonly points: readonly Point[]; readonly reach: number }; // prettier-ignore

export interface TraceAnswer {
  /** All rings one after the other: x, y, x, y, ... */
  readonly points: Float32Array;
  /** Where each ring begins in `points`. */
  readonly starts: Uint32Array;
  /** undefined: nothing is covered. */
  readonly bounds: Rect | undefined;
  /** For a feathered segment its coverage as an alpha picture over `bounds`. */
  readonly soft: ImageBitmap | undefined;
}

export interface MapAnswer {
  readonly width: number;
  readonly height: number;
  /** 0 for none, k + 1 for segments[k]. */
  readonly labels: Uint16Array;
  readonly segments: readonly SegmentId[];
}

/** An area as a path, or undefined where there was nothing to find. */
export interface PathAnswer {
  readonly d: string | undefined;
}

export interface MaskAnswers {
  readonly trace: TraceAnswer;
  readonly map: MapAnswer;
  readonly 'fill-empty': PathAnswer;
  readonly 'fill-colour': PathAnswer;
  readonly snap: PathAnswer;
}

export type ToWorker = { readonly id: number; readonly request: MaskRequest; readonly blobs: BlobUrls };
export type FromWorker =
  | { readonly id: number; readonly answer: MaskAnswers[keyof MaskAnswers] }
  | { readonly id: number; readonly error: string };
