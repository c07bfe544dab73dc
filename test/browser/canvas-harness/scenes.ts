import { createScene, createSegment } from '#shared/document/create.ts';
import type { ShapeInput } from '#shared/document/geometry.ts';
import type { DocumentRecord, SegmentRecord } from '#shared/document/records.ts';

const segment = (key: string, text: string, color: number, shapes: ShapeInput[], fields: Partial<Omit<SegmentRecord, 'id' | 'type' | 'shapes' | 'slot'>> = {}): DocumentRecord[] =>
  createSegment(key, text, shapes, { color, order: color, ...fields }); // prettier-ignore

/** A small scene like the one of the design's mock. */
export function picnic(): DocumentRecord[] {
  return [
    createScene({ title: 'Picnic at the lake', text: 'a lake at sunset', width: 512, height: 512 }),
    ...segment('tent', 'a purple tent', 0, [{ kind: 'path', d: 'M80 430C80 345 128 282 170 282S260 345 260 430Z' }]),
    ...segment('fox', 'a sleeping fox', 1, [{ kind: 'ellipse', cx: 360, cy: 425, rx: 82, ry: 48, transform: [0.98, 0.12, -0.12, 0.98, 60, -30] }], { feather: 8 }), // prettier-ignore
    ...segment('lantern', 'a lantern', 2, [{ kind: 'ellipse', cx: 275, cy: 465, rx: 14, ry: 14 }]),
    ...segment('cloud', '', 3, [{ kind: 'strokes', strokes: [{ width: 56, points: [[120, 110, 0.4], [160, 92, 1], [215, 104, 0.9], [260, 96, 0.5]] }] }]), // prettier-ignore
    ...segment('boat', 'a small boat with a white sail', 4, [{ kind: 'polygon', points: [[365, 250], [430, 250], [415, 275], [380, 275]] }, { kind: 'polygon', points: [[396, 170], [396, 245], [436, 245]] }], { locked: true }), // prettier-ignore
  ];
}

/** Many large overlapping segments, made the same each time: for measuring. */
export function crowd(count: number, side: number): DocumentRecord[] {
  let state = 12_345;
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const records: DocumentRecord[] = [createScene({ width: side, height: side })];
  for (let index = 0; index < count; index += 1) {
    const cx = side * (0.1 + 0.8 * random());
    const cy = side * (0.1 + 0.8 * random());
    const strokes = Array.from({ length: 6 }, () => ({
      width: side * (0.03 + 0.05 * random()),
      points: Array.from({ length: 24 }, (_, k): [number, number, number] => [
        cx + side * 0.16 * Math.cos(k / 4 + random()) * (0.4 + random()),
        cy + side * 0.16 * Math.sin(k / 4 + random()) * (0.4 + random()),
        0.5 + random() / 2,
      ]),
    }));
    records.push(...segment(`s${index}`, `segment number ${index + 1}`, index % 64, [{ kind: 'strokes', strokes }], { order: index })); // prettier-ignore
  }
  return records;
}
