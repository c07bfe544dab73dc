import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteRows } from './dot-kernel.ts';
import { EmbeddingIndex, encode, toUnit } from './embedding-index.ts';

test('the kernel adds up exactly what plain JavaScript adds up', () => {
  fc.assert(
    fc.property(
      fc
        .integer({ min: 1, max: 80 })
        .chain((width) =>
          fc.tuple(
            fc.int16Array({ min: -2047, max: 2047, minLength: width, maxLength: width }),
            fc.array(fc.int8Array({ minLength: width, maxLength: width }), { maxLength: 40 }),
          ),
        ),
      ([query, rows]) => {
        const block = new ByteRows(query.length);
        for (const row of rows) block.push(row);
        const found: number[] = [];
        block.sums(query, (first, sums) => {
          expect(first).toBe(found.length);
          found.push(...sums);
        });
        expect(found).toEqual(rows.map((row) => row.reduce((sum, value, index) => sum + value * query[index]!, 0)));
      },
    ),
  );
});

test('the largest sums do not overflow', () => {
  const block = new ByteRows(4096);
  block.push(new Int8Array(4096).fill(-128));
  block.sums(new Int16Array(4096).fill(2047), (_first, sums) => expect([...sums]).toEqual([-128 * 2047 * 4096]));
});

/** Gaussian unit vectors, from a small generator so that the test is the same every time. */
function unitVectors(count: number, width: number, seed: number): Float32Array[] {
  let state = seed;
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  const gauss = (): number => Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
  return Array.from({ length: count }, () => toUnit(Float32Array.from({ length: width }, gauss)));
}
const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, index) => sum + value * b[index]!, 0);

test('finds the nearest of many, over several chunks, with cosines close to the true ones', () => {
  const vectors = unitVectors(15_000, 48, 1);
  const index = new EmbeddingIndex(48);
  vectors.forEach((vector, id) => index.add(id + 1, encode(vector)));
  for (const query of unitVectors(5, 48, 2)) {
    const truth = vectors
      .map((vector, id) => ({ id: id + 1, cosine: dot(query, vector) }))
      .toSorted((a, b) => b.cosine - a.cosine);
    const found = index.nearest(query, 60);
    expect(found).toHaveLength(60);
    const ids = new Set(found.map((candidate) => candidate.id));
    // Twelve are shown; sixty candidates are ranked again by full values, so the true twelve must be among them.
    expect(truth.slice(0, 12).every(({ id }) => ids.has(id))).toBe(true);
    for (const { id, cosine } of found) expect(cosine).toBeCloseTo(dot(query, vectors[id - 1]!), 2);
  }
});

test('what was removed is not found, what moved into its place still is', () => {
  const vectors = unitVectors(300, 20, 3);
  const index = new EmbeddingIndex(20);
  vectors.forEach((vector, id) => index.add(id, encode(vector)));
  const gone = new Set<number>();
  for (const id of [0, 299, 150, 7, 298, 8, 1]) {
    index.remove(id);
    index.remove(id);
    gone.add(id);
  }
  expect(index.count).toBe(293);
  for (const [id, vector] of vectors.entries()) {
    const [best] = index.nearest(vector, 3);
    if (gone.has(id)) expect(best?.id).not.toBe(id);
    else expect(best?.id).toBe(id);
  }
});

test('an embedding without direction is refused', () => {
  expect(() => toUnit(new Float32Array(4))).toThrow(RangeError);
  expect(() => toUnit(new Float32Array([1, Number.NaN]))).toThrow(RangeError);
});
