import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clipIds, clipText } from './clip-bpe.ts';
import { countTokens, parseWeights, tokenizePrompt, tokenizeTruncated } from './prompt.ts';

interface Case {
  text: string;
  ids: number[];
  length?: number;
  all_ids?: number[];
}
const cases = JSON.parse(
  await readFile(join(import.meta.dirname, '../../../test/fixtures/tokenizer/cases.json'), 'utf8'),
) as {
  cases: Case[];
  padded_with_zero: Case[];
};

describe('against transformers', () => {
  test('all 200 texts', () => {
    expect(cases.cases).toHaveLength(200);
    for (const { text, ids, length, all_ids } of cases.cases) {
      const chunk = tokenizeTruncated(text, 49407);
      expect(chunk.ids, text).toEqual(ids);
      expect(chunk.ids.slice(0, length), text).toEqual(ids.slice(0, length));
      if (all_ids) expect(clipIds(text), text).toEqual(all_ids);
    }
  });

  test('texts padded with zero', () => {
    for (const { text, ids } of cases.padded_with_zero) expect(tokenizeTruncated(text, 0).ids, text).toEqual(ids);
  });

  test('a text that fits is one chunk, the same as a truncated call', () => {
    for (const { text, ids, all_ids } of cases.cases)
      if (!all_ids) expect(tokenizePrompt(text, { pad: 49407 })[0]?.ids, text).toEqual(ids);
  });
});

describe('chunks', () => {
  test('long texts: every token once, in order, no word cut, 77 wide', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('fox', 'watercolor', 'chiaroscuro', 'supercalifragilistic', ','), { maxLength: 200 }),
        (words) => {
          const text = words.join(' ');
          const chunks = tokenizePrompt(text, { pad: 0 });
          const inner = chunks.flatMap((chunk) => chunk.ids.slice(1, chunk.end));
          expect(inner).toEqual(clipIds(text));
          for (const chunk of chunks) {
            expect(chunk.ids).toHaveLength(77);
            expect(chunk.ids[0]).toBe(49406);
            expect(chunk.ids[chunk.end]).toBe(49407);
          }
        },
      ),
    );
  });

  test('any text tokenizes, and what was tokenized can be shown', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        for (const chunk of tokenizePrompt(text, { pad: 0, weighted: true }))
          for (const id of chunk.ids) expect(id >= 0 && id < 49408).toBe(true);
      }),
    );
    expect(clipText(clipIds('A red Fox, 東京'))).toBe('a red fox , 東京');
  });
});

describe('weights', () => {
  test.each([
    [
      'a (red) fox',
      [
        ['a ', 1],
        ['red', 1.1],
        [' fox', 1],
      ],
    ],
    [
      'a (red:1.5) fox',
      [
        ['a ', 1],
        ['red', 1.5],
        [' fox', 1],
      ],
    ],
    ['((deep))', [['deep', 1.21]]],
    ['[less]', [['less', 1 / 1.1]]],
    [
      '((a:2) b:0.5)',
      [
        ['a', 1],
        [' b', 0.5],
      ],
    ],
    [String.raw`fox \(animal\)`, [['fox (animal)', 1]]],
    [
      'open (end',
      [
        ['open ', 1],
        ['end', 1.1],
      ],
    ],
    [
      'time 12:30 (noon)',
      [
        ['time 12:30 ', 1],
        ['noon', 1.1],
      ],
    ],
    ['stray ) here', [['stray ) here', 1]]],
  ])('%s', (text, expected) => {
    const parsed = parseWeights(text);
    expect(parsed.map((p) => p.text)).toEqual(expected.map(([t]) => t));
    for (const [i, [, weight]] of expected.entries()) expect(parsed[i]?.weight).toBeCloseTo(weight as number, 9);
  });

  test('they end up on their own tokens only', () => {
    const [chunk] = tokenizePrompt('a (red:1.5) fox', { pad: 0, weighted: true });
    expect(chunk?.ids.slice(0, 5)).toEqual([49406, 320, 736, 3240, 49407]);
    expect(chunk?.weights.slice(0, 5)).toEqual([1, 1, 1.5, 1, 1]);
    expect(countTokens('a (red:1.5) fox')).toBe(3);
    expect(tokenizePrompt('a (red:1.5) fox', { pad: 0 })[0]?.end).toBeGreaterThan(5);
  });
});

test('textual inversion: a name as a word of its own stands for its vectors', () => {
  const embeddings = new Map([['my-style', [49408, 49409]]]);
  const inner = (text: string) => {
    const [chunk] = tokenizePrompt(text, { pad: 0, weighted: true, embeddings });
    return chunk?.ids.slice(1, chunk.end);
  };
  expect(inner('fox, (My-Style:1.2)')).toEqual([3240, 267, 49408, 49409]);
  expect(inner('embedding:my-style fox')).toEqual([49408, 49409, 3240]);
  expect(inner('my-styles')).toEqual(clipIds('my-styles'));
});
