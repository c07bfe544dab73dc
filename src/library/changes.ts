import { sceneOf, segmentName, segmentsOf, slotOf, slotText, toDocument } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import type { SceneRecord, SegmentRecord } from '#shared/document/records.ts';
import { shapesBounds } from '#shared/masks/bounds.ts';
import type { Bounds } from '#shared/masks/bounds.ts';
import type { Result } from '#shared/api/generation.ts';

/** The parts of a result that were decided by the artist. */
export type Compared = Pick<Result, 'records' | 'seed' | 'pack' | 'width' | 'height' | 'purpose'>;

/** Longer texts are shown by their beginning. */
const SHOWN = 60;

/** What was changed from one result to the other, in words, the weightiest first; empty if nothing was. */
export function describeChanges(from: Compared, to: Compared): string[] {
  const before = toDocument(from.records);
  const after = toDocument(to.records);
  return [
    ...purposeChanges(to, after),
    ...textChanges(sceneOf(before), sceneOf(after)),
    ...segmentChanges(before, after),
    ...dialChanges(sceneOf(before), sceneOf(after)),
    ...(from.seed === to.seed ? [] : [`seed ${from.seed} → ${to.seed}`]),
    ...(from.pack.fingerprint === to.pack.fingerprint ? [] : [`pack ${packName(from, to)} → ${packName(to, from)}`]),
    ...sizeChange(from, to, sceneOf(before), sceneOf(after)),
  ];
}

/** The picture's size, unless it followed the canvas: that is said already. */
function sizeChange(from: Compared, to: Compared, before: SceneRecord, after: SceneRecord): string[] {
  const [wide, high] = [to.width / from.width, to.height / from.height];
  if (wide === 1 && high === 1) return [];
  if (wide === after.width / before.width && high === after.height / before.height) return [];
  return [`size ${from.width} × ${from.height} → ${to.width} × ${to.height}`];
}

const quote = (text: string): string =>
  text === '' ? 'nothing' : `“${text.length > SHOWN ? `${text.slice(0, SHOWN - 1)}…` : text}”`;

/** Two packs of one name (an update) are told apart by their fingerprints. */
const packName = (mine: Compared, other: Compared): string =>
  mine.pack.name === other.pack.name ? `${mine.pack.name} (${mine.pack.fingerprint.slice(0, 8)})` : mine.pack.name;

function purposeChanges(to: Compared, after: StudioDocument): string[] {
  switch (to.purpose.kind) {
    case 'redo-segment': {
      const segment = after[to.purpose.segment];
      return [`${segment?.type === 'segment' ? nameOf(after, segment) : 'a segment'} made anew, the rest kept`];
    }
    case 'variations':
      return [`a variation, strength ${round(to.purpose.strength)}`];
    case 'upscale':
      return [`enlarged ${to.purpose.factor} times`];
    case 'generate':
    case 'grid':
    case 'live':
      return [];
  }
}

function textChanges(before: SceneRecord, after: SceneRecord): string[] {
  const changes: string[] = [];
  if (before.text !== after.text) changes.push(`global text ${quote(before.text)} → ${quote(after.text)}`);
  if (before.negativeText !== after.negativeText)
    changes.push(`negative text ${quote(before.negativeText)} → ${quote(after.negativeText)}`);
  return changes;
}

function segmentChanges(before: StudioDocument, after: StudioDocument): string[] {
  const old = segmentsOf(before);
  const now = segmentsOf(after);
  const changes: string[] = [];
  for (const segment of now) if (!before[segment.id]) changes.push(`${nameOf(after, segment)} added`);
  for (const segment of old) if (!after[segment.id]) changes.push(`${nameOf(before, segment)} removed`);
  for (const segment of now) {
    const was = before[segment.id];
    if (was?.type === 'segment') changes.push(...oneSegment(before, was, after, segment));
  }
  const common = (list: readonly SegmentRecord[], other: StudioDocument): string[] =>
    list.filter((segment) => other[segment.id]).map((segment) => segment.id);
  if (common(old, after).join() !== common(now, before).join()) changes.push('the segments lie in another order');
  return changes;
}

const nameOf = (document: StudioDocument, segment: SegmentRecord): string => {
  const name = segmentName(document, segment);
  return name ? quote(name) : 'an unnamed segment';
};

function oneSegment(before: StudioDocument, was: SegmentRecord, after: StudioDocument, now: SegmentRecord): string[] {
  const name = nameOf(after, now);
  const changes: string[] = [];
  const content = (document: StudioDocument, segment: SegmentRecord) => slotOf(document, segment.slot).content;
  const oldContent = content(before, was);
  const newContent = content(after, now);
  const oldText = slotText(before, oldContent);
  const newText = slotText(after, newContent);
  if (oldContent.kind !== newContent.kind) {
    const kinds = { text: 'a text', image: 'a picture', crop: 'a crop of a result', mix: 'a mix' };
    changes.push(`${name}: filled by ${kinds[newContent.kind]} instead of ${kinds[oldContent.kind]}`);
  } else if (oldText !== newText) changes.push(`text ${quote(oldText)} → ${quote(newText)}`);
  else if (oldContent.kind === 'text' && newContent.kind === 'text' && oldContent.reading !== newContent.reading)
    changes.push(`${name}: another reading of the same words (${oldContent.reading} → ${newContent.reading})`);
  else if (oldContent.kind === 'mix' && newContent.kind === 'mix' && oldContent.t !== newContent.t)
    changes.push(`${name}: mix ${round(oldContent.t)} → ${round(newContent.t)}`);
  else if (JSON.stringify(oldContent) !== JSON.stringify(newContent)) changes.push(`${name}: another picture`);
  if (was.negativeText !== now.negativeText)
    changes.push(`${name}: negative text ${quote(was.negativeText)} → ${quote(now.negativeText)}`);
  changes.push(...shapeChanges(name, was, now));
  const dials = [
    ['weight', was.weight, now.weight],
    ['feather', was.feather, now.feather],
    ['grown by', was.grow, now.grow],
    ['smoothed by', was.smooth, now.smooth],
  ] as const;
  for (const [dial, a, b] of dials) if (a !== b) changes.push(`${name}: ${dial} ${round(a)} → ${round(b)}`);
  if (was.interval.join() !== now.interval.join())
    changes.push(`${name}: at work ${stretch(was.interval)} → ${stretch(now.interval)}`);
  if (was.visible !== now.visible) changes.push(`${name} ${now.visible ? 'shown' : 'hidden'}`);
  if (was.invert !== now.invert) changes.push(`${name} inverted`);
  return changes;
}

/** Moved and resized are told by the box around the shapes; anything else is a redrawing. */
function shapeChanges(name: string, was: SegmentRecord, now: SegmentRecord): string[] {
  if (JSON.stringify(was.shapes) === JSON.stringify(now.shapes)) return [];
  const a = shapesBounds(was.shapes);
  const b = shapesBounds(now.shapes);
  if (!a || !b) return [`${name} ${b ? 'drawn' : a ? 'emptied' : 'redrawn'}`];
  const near = (x: number, y: number): boolean => Math.abs(x - y) < 0.5;
  const moved = !near(centre(a).x, centre(b).x) || !near(centre(a).y, centre(b).y);
  const resized = !near(a.right - a.left, b.right - b.left) || !near(a.bottom - a.top, b.bottom - b.top);
  if (moved && !resized) return [`${name} moved ${direction(centre(b).x - centre(a).x, centre(b).y - centre(a).y)}`];
  if (resized) return [`${name} resized${moved ? ' and moved' : ''} (${sizeOf(a)} → ${sizeOf(b)})`];
  return [`${name} redrawn`];
}

const centre = (box: Bounds): { x: number; y: number } => ({
  x: (box.left + box.right) / 2,
  y: (box.top + box.bottom) / 2,
});
const sizeOf = (box: Bounds): string => `${Math.round(box.right - box.left)} × ${Math.round(box.bottom - box.top)}`;

function direction(x: number, y: number): string {
  const parts = [];
  if (Math.abs(x) >= 0.5) parts.push(`${Math.round(Math.abs(x))} px ${x > 0 ? 'right' : 'left'}`);
  if (Math.abs(y) >= 0.5) parts.push(`${Math.round(Math.abs(y))} px ${y > 0 ? 'down' : 'up'}`);
  return parts.join(', ');
}

function dialChanges(before: SceneRecord, after: SceneRecord): string[] {
  const dials: [string, string | number, string | number][] = [
    ['guidance', before.guidance.mode, after.guidance.mode],
    ['global dial', before.guidance.globalScale, after.guidance.globalScale],
    ['local dial', before.guidance.localScale, after.guidance.localScale],
    ['single dial', before.guidance.scale, after.guidance.scale],
    ['guidance at work', stretch(before.guidance.interval), stretch(after.guidance.interval)],
    ['guidance rescale', before.guidance.rescale, after.guidance.rescale],
    ['sampler', before.sampler.name, after.sampler.name],
    ['steps', before.sampler.steps, after.sampler.steps],
    ['eta', before.sampler.eta, after.sampler.eta],
    ['canvas', `${before.width} × ${before.height}`, `${after.width} × ${after.height}`],
    ['start picture', startOf(before), startOf(after)],
    ['upscaling', before.upscale, after.upscale],
  ];
  // The scale of single guidance does nothing in the other modes, and theirs nothing in it.
  const idle = after.guidance.mode === 'single' ? ['global dial', 'local dial'] : ['single dial'];
  return dials
    .filter(([name, a, b]) => a !== b && !(before.guidance.mode === after.guidance.mode && idle.includes(name)))
    .map(([name, a, b]) => `${name} ${round(a)} → ${round(b)}`);
}

const startOf = ({ start }: SceneRecord): string =>
  start ? `${start.blob.slice(0, 8)} at strength ${round(start.strength)}` : 'none';
const stretch = ([start, end]: readonly [number, number]): string =>
  start === 0 && end === 1 ? 'throughout' : `${Math.round(start * 100)}–${Math.round(end * 100)} %`;
const round = (value: string | number): string =>
  typeof value === 'string' ? value : String(Math.round(value * 100) / 100);
