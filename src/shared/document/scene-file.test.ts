import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { StudioError } from '../errors.ts';
import { createScene, createSegment } from './create.ts';
import { toDocument, toRecords } from './document.ts';
import { documentArbitrary } from './document.testkit.ts';
import type { DocumentRecord } from './records.ts';
import { readScene, writeScene } from './scene-file.ts';

const beach = toDocument([
  createScene({ text: 'a beach at noon' }),
  ...createSegment('dog', 'a brown dog', [
    {
      kind: 'polygon',
      points: [
        [1, 1],
        [50, 5],
        [30, 90],
      ],
    },
  ]),
  ...createSegment('sun', 'the sun', [
    { kind: 'ellipse', cx: 400, cy: 80, rx: 50, ry: 50 },
    { kind: 'group', shapes: [{ kind: 'canvas' }], op: 'intersect' },
  ]),
  ...createSegment('sea', { kind: 'mix', a: 'slot:dog', b: 'slot:sun', t: 0.3 }, [
    {
      kind: 'strokes',
      strokes: [
        {
          width: 30,
          points: [
            [0, 300, 1],
            [500, 310, 0.5],
          ],
        },
      ],
    },
  ]),
]);

interface LooseFile {
  format: unknown;
  version: unknown;
  records: Record<string, unknown>[];
  blobs?: unknown;
}
const edited = (edit: (file: LooseFile, record: (id: string) => Record<string, unknown>) => void): string => {
  const file = JSON.parse(writeScene(beach)) as LooseFile;
  edit(file, (id) => file.records.find((record) => record['id'] === id)!);
  return JSON.stringify(file);
};
function refusal(text: string): StudioError {
  try {
    readScene(text);
  } catch (error) {
    expect(error).toBeInstanceOf(StudioError);
    return error as StudioError;
  }
  throw new Error('the scene was read without complaint');
}

describe('round trip', () => {
  test('what is written is read back, and written the same again', () => {
    fc.assert(
      fc.property(documentArbitrary(8), (document) => {
        const text = writeScene(document);
        const read = readScene(text);
        expect(toRecords(read.document)).toEqual(toRecords(document));
        expect(writeScene(read.document)).toBe(text);
      }),
      { numRuns: 150 },
    );
  });
  test('blobs travel in base64', () => {
    const blobs = { ['a'.repeat(64)]: 'aGVsbG8=' };
    expect(readScene(writeScene(beach, blobs)).blobs).toEqual(blobs);
    expect(readScene(writeScene(beach)).blobs).toEqual({});
    expect(writeScene(beach, {})).not.toContain('blobs');
  });
  test('emoji, right-to-left and combined characters come back as they were', () => {
    const texts = ['👩🏽‍🚀🪐', 'כלב חום על החוף', 'قطة برتقالية', 'e\u0301', '\u202Ereversed', '中文', 'a\u0000b'];
    const records: DocumentRecord[] = [
      createScene({ text: texts.join(' ') }),
      ...texts.flatMap((t, i) => createSegment(`t${i}`, t, [])),
    ];
    expect(toRecords(readScene(writeScene(toDocument(records))).document)).toEqual(toRecords(toDocument(records)));
  });
  test('fields may be left out: a short file gets the defaults', () => {
    const { document } = readScene(
      JSON.stringify({
        format: 'spatext-scene',
        version: 1,
        records: [
          { id: 'scene:main', type: 'scene', text: 'a meadow' },
          {
            id: 'segment:1',
            type: 'segment',
            slot: 'slot:1',
            shapes: [{ kind: 'rect', x: 0, y: 0, width: 99, height: 99 }],
          },
          { id: 'slot:1', type: 'slot', content: { kind: 'text', text: 'a cow' } },
        ],
      }),
    );
    expect(document['scene:main']).toMatchObject({ width: 512, guidance: { mode: 'multi' } });
    expect(document['segment:1']).toMatchObject({ visible: true, weight: 1, shapes: [{ op: 'add' }] });
  });
  test('unknown fields of a later minor release are dropped, not fatal', () => {
    const text = edited((file, record) => {
      record('segment:dog')['sparkle'] = 9;
      (file as unknown as Record<string, unknown>)['extra'] = true;
    });
    expect(toRecords(readScene(text).document)).toEqual(toRecords(beach));
  });
});

describe('bad input: one clear sentence each', () => {
  test.each<[string, string, string, RegExp]>([
    ['not JSON', '{"format": ', 'bad-input', /^not a scene: the file is not JSON/],
    ['an empty file', '', 'bad-input', /the file is not JSON/],
    ['a picture', '\u0089PNG\r\n\u001a', 'bad-input', /the file is not JSON/],
    ['JSON of another kind', '{"name":"package"}', 'bad-input', /"format" is not "spatext-scene"/],
    ['a list', '[]', 'bad-input', /"format" is not/],
    ['null', 'null', 'bad-input', /"format" is not/],
    [
      'a newer version',
      edited((f) => (f.version = 99)),
      'newer-version',
      /^the scene has version 99; this release reads up to 1$/,
    ],
    ['version zero', edited((f) => (f.version = 0)), 'bad-input', /no "version"/],
    ['a version in words', edited((f) => (f.version = 'one')), 'bad-input', /no "version"/],
    [
      '500 segments',
      edited((f) =>
        f.records.push(...(Array.from({ length: 500 }, (_, i) => createSegment(`s${i}`, '', [])).flat() as never[])),
      ),
      'bad-input',
      /503 segments, at most 256 are allowed/,
    ],
    [
      'points that are no numbers',
      edited(
        (_, r) =>
          (r('segment:dog')['shapes'] = [
            {
              kind: 'polygon',
              points: [
                [0, 0],
                [1, null],
                [2, 2],
              ],
            },
          ]),
      ),
      'bad-input',
      /segment:dog\.shapes\.0\.points\.1\.1: .*expected number, received null/,
    ],
    [
      'points written NaN',
      edited(
        (_, r) =>
          (r('segment:dog')['shapes'] = [
            {
              kind: 'polygon',
              points: [
                ['NaN', 0],
                [1, 1],
                [2, 2],
              ],
            },
          ]),
      ),
      'bad-input',
      /segment:dog\.shapes\.0\.points\.0\.0: .*expected number/,
    ],
    ['NaN as JavaScript would write it', writeScene(beach).replace('50,', 'NaN,'), 'bad-input', /not JSON/],
    [
      'a canvas of 20,000 px',
      edited((_, r) => (r('scene:main')['width'] = 20_000)),
      'bad-input',
      /scene:main\.width: .*8192/,
    ],
    [
      'a text of 10,000 characters',
      edited((_, r) => (r('scene:main')['text'] = 'x'.repeat(10_000))),
      'bad-input',
      /scene:main\.text: a text of more than 2000 characters/,
    ],
    [
      'a local text of 10,000 characters',
      edited((_, r) => (r('slot:dog')['content'] = { kind: 'text', text: 'x'.repeat(10_000) })),
      'bad-input',
      /slot:dog\.content\.text: a text of more than 2000/,
    ],
    ['an unknown kind of record', edited((_, r) => (r('slot:dog')['type'] = 'slots')), 'bad-input', /slot:dog\.type/],
    [
      'an unknown kind of shape',
      edited((_, r) => (r('segment:dog')['shapes'] = [{ kind: 'hexagon' }])),
      'bad-input',
      /segment:dog\.shapes\.0\.kind: .*'polygon'/,
    ],
    [
      'a missing slot',
      edited((f) => (f.records = f.records.filter((r) => r['id'] !== 'slot:sun'))),
      'bad-input',
      /slot:sun, which is not there/,
    ],
    [
      'an id that could climb',
      edited((_, r) => (r('segment:dog')['id'] = 'segment:../../x')),
      'bad-input',
      /record \d+\.id: expected an id like segment:name/,
    ],
    ['a blob that is no base64', edited((f) => (f.blobs = { ['a'.repeat(64)]: '<svg>' })), 'bad-input', /blobs/],
    ['a blob under a path', edited((f) => (f.blobs = { '../x': 'aGk=' })), 'bad-input', /blobs/],
    [
      '__proto__ as a blob',
      writeScene(beach).replace('"records"', '"blobs": {"__proto__": "aGk="}, "records"'),
      'bad-input',
      /blobs|not a good scene/,
    ],
    [
      'an interval that runs backwards',
      edited((_, r) => (r('segment:dog')['interval'] = [0.9, 0.1])),
      'bad-input',
      /segment:dog\.interval: the interval ends before it starts/,
    ],
  ])('%s', (name, text, code, message) => {
    if (name === '__proto__ as a blob') {
      // Either refused or harmless: nothing may reach Object.prototype.
      try {
        readScene(text);
      } catch (error) {
        expect(error).toBeInstanceOf(StudioError);
      }
      expect(Object.hasOwn(Object.prototype, 'aGk=')).toBe(false);
      return;
    }
    const error = refusal(text);
    expect(error.message).toMatch(message);
    expect(error.code).toBe(code);
    expect(error.remedy).toBeTruthy();
    expect(error.message.length).toBeLessThan(500);
  });
  test('no segments and zero-area polygons are good scenes; the warnings speak of them', () => {
    expect(() =>
      readScene(edited((f) => (f.records = f.records.filter((r) => r['id'] === 'scene:main')))),
    ).not.toThrow();
    const flat = edited(
      (_, r) =>
        (r('segment:dog')['shapes'] = [
          {
            kind: 'polygon',
            points: [
              [5, 5],
              [5, 5],
              [5, 5],
            ],
          },
        ]),
    );
    expect(() => readScene(flat)).not.toThrow();
  });
  test('nesting without end is refused without a stack overflow', () => {
    const deep = (n: number) => `${'{"kind":"group","shapes":['.repeat(n)}${']}'.repeat(n)}`;
    const text = writeScene(beach).replace('"shapes": [', `"shapes": [${deep(100_000)},`);
    expect(refusal(text).message).toContain('nested more than 8 deep');
    expect(refusal('['.repeat(1_000_000)).code).toBe('bad-input');
    expect(
      refusal(`{"format":"spatext-scene","version":1,"records":${'['.repeat(50_000)}${']'.repeat(50_000)}}`).code,
    ).toBe('bad-input');
  });
  test('a file beyond the limit is refused before it is parsed', () => {
    const error = refusal(' '.repeat(64 * 1024 * 1024 + 1));
    expect(error.code).toBe('too-large');
  });
});

describe('ten thousand mutated files: a document or a typed error, never anything else', () => {
  /** A small generator of its own, so that a failing file can be made again from its number. */
  function randomOf(seed: number): (below: number) => number {
    let state = Math.imul(seed + 1, 0x9e37_79b9) >>> 0;
    return (below) => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      state >>>= 0;
      return state % below;
    };
  }
  const source = writeScene(beach, { ['c'.repeat(64)]: 'aGVsbG8=' });
  const SPICE: readonly unknown[] = [
    null,
    true,
    -1,
    0,
    1e308,
    -1e-320,
    0.5,
    2 ** 53,
    '',
    'NaN',
    '__proto__',
    'constructor',
    [],
    {},
    [[]],
    { kind: 'group', shapes: [] },
    'x'.repeat(3000),
    '\ud800',
    ['segment:dog'],
    { length: 1e9 },
  ];

  /** Every object and list inside a value. */
  function inner(
    value: unknown,
    found: (Record<string, unknown> | unknown[])[] = [],
  ): (Record<string, unknown> | unknown[])[] {
    if (typeof value === 'object' && value !== null) {
      found.push(value as Record<string, unknown>);
      for (const child of Object.values(value)) inner(child, found);
    }
    return found;
  }
  function mutateTree(random: (below: number) => number): string {
    const file = JSON.parse(source) as unknown;
    for (let edits = 1 + random(3); edits > 0; edits -= 1) {
      const places = inner(file);
      const place = places[random(places.length)]!;
      const keys = Object.keys(place);
      const key = keys[random(Math.max(1, keys.length))] ?? 'new';
      const other = places[random(places.length)]!;
      const loose = place as Record<string, unknown>;
      switch (random(6)) {
        case 0:
          if (Array.isArray(place)) place.splice(Number(key) || 0, 1);
          else delete loose[key];
          break;
        case 1:
          // A copy: one and the same object in two places could come to lie inside itself.
          loose[key] = structuredClone(SPICE[random(SPICE.length)]);
          break;
        case 2:
          loose[key] = structuredClone(other);
          break;
        case 3:
          if (Array.isArray(place)) place.push(structuredClone(place[random(Math.max(1, place.length))]));
          else loose[`${key}2`] = structuredClone(loose[key]);
          break;
        case 4:
          if (typeof loose[key] === 'number') loose[key] = (loose[key] as number) * [-1, 1e7, 0, 1.5][random(4)]!;
          else if (typeof loose[key] === 'string') loose[key] = (loose[key] as string).slice(random(5));
          break;
        default:
          if (Array.isArray(place)) place.reverse();
          else loose[String.fromCodePoint(97 + random(26))] = structuredClone(SPICE[random(SPICE.length)]);
      }
    }
    return JSON.stringify(file);
  }
  function mutateText(random: (below: number) => number): string {
    let text = source;
    for (let edits = 1 + random(4); edits > 0; edits -= 1) {
      const at = random(text.length);
      const length = random(12);
      const scraps = [
        '',
        '"',
        '{',
        '}',
        ']',
        ',',
        '0',
        '-',
        '1e999',
        'null',
        '\\u0000',
        '\ud83d',
        text.slice(at, at + random(200)),
      ];
      text = text.slice(0, at) + scraps[random(scraps.length)]! + text.slice(at + length);
    }
    return text;
  }

  test('by tree and by text', () => {
    const outcomes = new Map<string, number>();
    for (let seed = 0; seed < 10_000; seed += 1) {
      const random = randomOf(seed);
      const text = seed % 2 ? mutateText(random) : mutateTree(random);
      let outcome = 'document';
      try {
        const { document } = readScene(text);
        // What was accepted can be saved and opened again.
        if (toRecords(readScene(writeScene(document)).document).length !== Object.keys(document).length)
          outcome = 'changes when saved';
      } catch (error) {
        outcome = error instanceof StudioError ? error.code : `untyped: ${String(error)} (file ${seed})`;
      }
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    expect(
      [...outcomes.keys()].filter((key) => !['document', 'bad-input', 'newer-version', 'too-large'].includes(key)),
    ).toEqual([]);
    // The mutations reach both sides: neither everything nor nothing is refused.
    expect(outcomes.get('document') ?? 0).toBeGreaterThan(500);
    expect(outcomes.get('bad-input') ?? 0).toBeGreaterThan(3000);
  });
});
