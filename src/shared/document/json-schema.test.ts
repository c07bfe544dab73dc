import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { documentArbitrary } from './document.testkit.ts';
import { sceneJsonSchema } from './json-schema.ts';
import { writeScene } from './scene-file.ts';

const FILE = new URL('../../../docs/schema/scene.schema.json', import.meta.url);

describe('docs/schema/scene.schema.json', () => {
  let written: unknown;
  let validator: z.ZodType;
  beforeAll(async () => {
    written = JSON.parse(await readFile(FILE, 'utf8'));
    // An independent reading of the written file: the schema as any other program would build a validator from it.
    validator = z.fromJSONSchema(written as Parameters<typeof z.fromJSONSchema>[0]);
  });

  test('is current (node scripts/write-schemas.ts writes it)', () => {
    expect(written).toEqual(JSON.parse(JSON.stringify(sceneJsonSchema())));
  });
  test('accepts every scene that the studio writes', () => {
    fc.assert(
      fc.property(documentArbitrary(6), (document) => {
        expect(validator.safeParse(JSON.parse(writeScene(document))).error).toBeUndefined();
      }),
      { numRuns: 60 },
    );
  });
  test.each<[string, unknown]>([
    ['another format', { format: 'svg', version: 1, records: [] }],
    ['a newer version', { format: 'spatext-scene', version: 2, records: [] }],
    ['no records', { format: 'spatext-scene', version: 1 }],
    [
      'a scene of 20,000 px',
      { format: 'spatext-scene', version: 1, records: [{ id: 'scene:main', type: 'scene', width: 20_000 }] },
    ],
    [
      'a polygon of two points',
      {
        format: 'spatext-scene',
        version: 1,
        records: [
          {
            id: 'segment:a',
            type: 'segment',
            slot: 'slot:a',
            shapes: [
              {
                kind: 'polygon',
                points: [
                  [0, 0],
                  [1, 1],
                ],
              },
            ],
          },
        ],
      },
    ],
    [
      'a bad shape inside nested groups',
      {
        format: 'spatext-scene',
        version: 1,
        records: [
          {
            id: 'segment:a',
            type: 'segment',
            slot: 'slot:a',
            shapes: [
              {
                kind: 'group',
                shapes: [{ kind: 'group', shapes: [{ kind: 'rect', x: 'left', y: 0, width: 1, height: 1 }] }],
              },
            ],
          },
        ],
      },
    ],
    [
      'an id with a path',
      { format: 'spatext-scene', version: 1, records: [{ id: 'slot:../x', type: 'slot', content: { kind: 'text' } }] },
    ],
  ])('refuses %s', (_, file) => {
    expect(validator.safeParse(file).success).toBe(false);
  });
  test('leaves out what has a default', () => {
    const short = {
      format: 'spatext-scene',
      version: 1,
      records: [
        { id: 'scene:main', type: 'scene' },
        { id: 'slot:a', type: 'slot', content: { kind: 'text' } },
      ],
    };
    expect(validator.safeParse(short).error).toBeUndefined();
  });
});
