/**
 * Mask work off the main thread: drawing never waits for it. Runs as a module worker; everything it needs comes with
 * the request except the pixels of bitmap shapes, which it fetches once from where the host serves blobs.
 */
import { toDocument } from '#shared/document/document.ts';
import { hasSoftShape } from '#shared/document/geometry.ts';
import { missingCase } from '#shared/errors.ts';
import type { Bitmap } from '#shared/masks/bitmap.ts';
import { labelSegments } from '#shared/masks/segment-mask.ts';
import { fillColourArea, fillEmptyArea, snapArea } from './fill-area.ts';
import type { BlobUrls, FromWorker, MaskAnswers, MaskRequest, ToWorker, TraceAnswer } from './protocol.ts';
import { traceSegment } from './trace.ts';
import type { Traced } from './trace.ts';

const bitmaps = new Map<string, Bitmap>();

onmessage = ({ data }: MessageEvent<ToWorker>): void => {
  void serve(data).then(({ message, transfer }) => postMessage(message, { transfer }));
};

async function serve({ id, request, blobs }: ToWorker): Promise<{ message: FromWorker; transfer: Transferable[] }> {
  try {
    await fetchBitmaps(blobs);
    const answer = await work(request);
    return { message: { id, answer }, transfer: transferables(answer) };
  } catch (thrown) {
    return { message: { id, error: thrown instanceof Error ? thrown.message : String(thrown) }, transfer: [] };
  }
}

async function work(request: MaskRequest): Promise<MaskAnswers[keyof MaskAnswers]> {
  const lookup = (hash: string): Bitmap | undefined => bitmaps.get(hash);
  switch (request.kind) {
    case 'trace':
      return packTrace(
        traceSegment(request.scene, request.segment, lookup, request.detail),
        request.segment.feather > 0 || hasSoftShape(request.segment.shapes),
      );
    case 'map': {
      const document = toDocument(request.records);
      const { width, height } = request;
      const { labelMap, segments } = labelSegments(document, { width, height }, lookup);
      return { width, height, labels: labelMap, segments };
    }
    case 'fill-empty':
      return { d: fillEmptyArea(toDocument(request.records), request.at, lookup) };
    case 'fill-colour':
      return { d: fillColourArea(request.scene, request.picture, request.at, request.tolerance) };
    case 'snap':
      return { d: snapArea(request.scene, request.picture, request.points, request.reach) };
    default:
      return missingCase(request);
  }
}

async function packTrace({ rings, bounds, mask, box, scale }: Traced, soft: boolean): Promise<TraceAnswer> {
  const points = new Float32Array(rings.reduce((sum, ring) => sum + ring.length * 2, 0));
  const starts = new Uint32Array(rings.length);
  let at = 0;
  for (const [index, ring] of rings.entries()) {
    starts[index] = at;
    for (const [x, y] of ring) {
      points[at] = x;
      points[at + 1] = y;
      at += 2;
    }
  }
  if (!soft || !box) return { points, starts, bounds, soft: undefined };
  const width = box.right - box.left;
  const height = box.bottom - box.top;
  const image = new ImageData(width, height);
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1)
      image.data[(y * width + x) * 4 + 3] = mask.data[(y + box.top) * mask.width + x + box.left] ?? 0;
  const around = { x: box.left / scale[0], y: box.top / scale[1], width: width / scale[0], height: height / scale[1] };
  return { points, starts, bounds: around, soft: await createImageBitmap(image) };
}

function transferables(answer: MaskAnswers[keyof MaskAnswers]): Transferable[] {
  if ('points' in answer && answer.points instanceof Float32Array) {
    const { points, starts, soft } = answer as TraceAnswer;
    return soft ? [points.buffer, starts.buffer, soft] : [points.buffer, starts.buffer];
  }
  return 'labels' in answer ? [answer.labels.buffer] : [];
}

/** Pixels of bitmap shapes: the alpha channel where there is one, else the lightness. */
async function fetchBitmaps(blobs: BlobUrls): Promise<void> {
  for (const [hash, url] of Object.entries(blobs)) {
    if (bitmaps.has(hash)) continue;
    const response = await fetch(url);
    if (!response.ok) continue;
    const image = await createImageBitmap(await response.blob());
    const canvas = new OffscreenCanvas(image.width, image.height);
    const context = canvas.getContext('2d');
    if (!context) continue;
    context.drawImage(image, 0, 0);
    bitmaps.set(hash, toBitmap(context.getImageData(0, 0, image.width, image.height)));
    image.close();
  }
}

function toBitmap({ data: rgba, width, height }: ImageData): Bitmap {
  const data = new Uint8Array(width * height);
  let opaque = true;
  for (let index = 3; index < rgba.length; index += 4) if (rgba[index] !== 255) opaque = false;
  for (let index = 0; index < data.length; index += 1) {
    const at = index * 4;
    data[index] = opaque
      ? Math.round(0.299 * (rgba[at] ?? 0) + 0.587 * (rgba[at + 1] ?? 0) + 0.114 * (rgba[at + 2] ?? 0))
      : (rgba[at + 3] ?? 0);
  }
  return { width, height, data };
}
