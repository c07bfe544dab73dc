import { expect, test } from 'vitest';
import { createScene, createSegment } from '#shared/document/create.ts';
import type { DocumentRecord } from '#shared/document/records.ts';
import { describeChanges } from './changes.ts';
import type { Compared } from './changes.ts';

const cat = createSegment('cat', 'a black cat', [{ kind: 'rect', x: 20, y: 60, width: 90, height: 120 }], { order: 1 });
const ball = createSegment('ball', 'a ball', [{ kind: 'ellipse', cx: 100, cy: 100, rx: 20, ry: 20 }], { order: 2 });
const scene = createScene({ text: 'at the beach' });

const compared = (records: readonly DocumentRecord[], more: Partial<Compared> = {}): Compared => ({
  records: [...records],
  seed: 7,
  pack: { id: 'p', name: 'Embedded', fingerprint: 'f1' },
  width: 512,
  height: 512,
  purpose: { kind: 'generate' },
  ...more,
});
const base = compared([scene, ...cat, ...ball]);
const changes = (records: readonly DocumentRecord[], more?: Partial<Compared>) =>
  describeChanges(base, compared(records, more));

test('a picture that followed its canvas says its size once', () => {
  const wide = createScene({ text: 'at the beach', width: 768, height: 512 });
  const sizes = (more: Partial<Compared>) => changes([wide, ...cat, ...ball], more).filter((one) => /×/.test(one));
  expect(sizes({ width: 768, height: 512 })).toEqual(['canvas 512 × 512 → 768 × 512']);
  expect(sizes({ width: 512, height: 512 })).toEqual(['canvas 512 × 512 → 768 × 512']);
  expect(sizes({ width: 1536, height: 1024 })).toEqual([
    'canvas 512 × 512 → 768 × 512',
    'size 512 × 512 → 1536 × 1024',
  ]);
});

test('nothing changed, nothing said', () => {
  expect(describeChanges(base, base)).toEqual([]);
});

test('texts and dials', () => {
  const other = createScene({
    text: 'in the snow',
    negativeText: 'blurry',
    guidance: { localScale: 4.5, scale: 9 },
    sampler: { steps: 30 },
  });
  expect(changes([other, ...cat, ...ball], { seed: 8 })).toEqual([
    'global text “at the beach” → “in the snow”',
    'negative text nothing → “blurry”',
    'local dial 1.5 → 4.5',
    'steps 16 → 30',
    'seed 7 → 8',
  ]);
});

test('segments: added, removed, moved, resized, redrawn, refilled', () => {
  const moved = createSegment('cat', 'a black cat', [{ kind: 'rect', x: 50, y: 40, width: 90, height: 120 }], {
    order: 1,
  });
  const grown = createSegment('ball', 'a red ball', [{ kind: 'ellipse', cx: 100, cy: 100, rx: 30, ry: 25 }], {
    order: 0,
    weight: 2,
    visible: false,
  });
  const dog = createSegment('dog', 'a dog', [], { order: 3 });
  expect(changes([scene, ...moved, ...grown, ...dog])).toEqual([
    '“a dog” added',
    'text “a ball” → “a red ball”',
    '“a red ball” resized (40 × 40 → 60 × 50)',
    '“a red ball”: weight 1 → 2',
    '“a red ball” hidden',
    '“a black cat” moved 30 px right, 20 px up',
    'the segments lie in another order',
  ]);
  expect(changes([scene, ...cat])).toEqual(['“a ball” removed']);
  const picture = createSegment('cat', { kind: 'image', blob: 'a'.repeat(64), box: null, mask: null }, [], {
    order: 1,
    name: 'Felix',
  });
  expect(changes([scene, ...picture, ...ball])).toEqual([
    '“Felix”: filled by a picture instead of a text',
    '“Felix” emptied',
  ]);
});

test('what was done', () => {
  const all = base.records;
  const picture = 'a'.repeat(64);
  expect(changes(all, { purpose: { kind: 'redo-segment', segment: 'segment:cat', picture, strength: 1 } })).toEqual([
    '“a black cat” made anew, the rest kept',
  ]);
  expect(changes(all, { purpose: { kind: 'upscale', picture, factor: 2 }, width: 1024, height: 1024 })).toEqual([
    'enlarged 2 times',
    'size 512 × 512 → 1024 × 1024',
  ]);
  expect(changes(all, { pack: { id: 'p', name: 'Embedded', fingerprint: 'f2' } })).toEqual([
    'pack Embedded (f1) → Embedded (f2)',
  ]);
});
