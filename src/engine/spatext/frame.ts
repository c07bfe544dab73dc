import type { StudioDocument } from '#shared/document/document.ts';
import { sceneOf } from '#shared/document/document.ts';
import type { DocumentRecord } from '#shared/document/records.ts';

/** A square of the scene that the model sees: its top left corner and side in scene pixels. */
export interface Frame {
  readonly x: number;
  readonly y: number;
  readonly side: number;
}

/**
 * The square around the whole canvas, centred: what is outside the canvas is made too and cut off afterwards,
 * so that a wide scene is never squeezed.
 */
export function sceneFrame(scene: { readonly width: number; readonly height: number }): Frame {
  const side = Math.max(scene.width, scene.height);
  return { x: Math.floor((scene.width - side) / 2), y: Math.floor((scene.height - side) / 2), side };
}

/**
 * A square around a box, enlarged by `context` (fraction of its longer side on every side), moved into the
 * scene where it can be: the frame of a detail pass.
 */
export function frameAround(
  box: { readonly x: number; readonly y: number; readonly width: number; readonly height: number },
  scene: { readonly width: number; readonly height: number },
  context: number,
): Frame {
  const longest = Math.max(box.width, box.height);
  const whole = sceneFrame(scene);
  const side = Math.min(whole.side, Math.ceil(longest * (1 + 2 * context)));
  const place = (centre: number, from: number): number =>
    Math.min(Math.max(Math.round(centre - side / 2), from), from + whole.side - side);
  return { x: place(box.x + box.width / 2, whole.x), y: place(box.y + box.height / 2, whole.y), side };
}

/** The document as the frame sees it: a square canvas with every segment moved along. */
export const framedDocument = (document: StudioDocument, { x, y, side }: Frame): StudioDocument =>
  windowedDocument(document, { x, y, width: side, height: side });

/** The document as a window of it looks: a canvas of the window's size, wherever it lies, with every segment moved along. */
export function windowedDocument(
  document: StudioDocument,
  window: { readonly x: number; readonly y: number; readonly width: number; readonly height: number },
): StudioDocument {
  const scene = sceneOf(document);
  const { x, y, width, height } = window;
  if (x === 0 && y === 0 && width === scene.width && height === scene.height) return document;
  const records: Record<string, DocumentRecord> = {};
  for (const record of Object.values(document)) {
    if (record.type === 'scene') records[record.id] = { ...record, width, height };
    else if (record.type === 'segment')
      records[record.id] = {
        ...record,
        shapes: [{ kind: 'group', op: 'add', transform: [1, 0, 0, 1, -x, -y], shapes: record.shapes }],
      };
    else records[record.id] = record;
  }
  return records;
}
