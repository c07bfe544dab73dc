import { z } from 'zod';
import { Affine, BlobHash, Point, Shape, StrokePoint } from './geometry.ts';
import { LIMITS } from './limits.ts';
import { SCENE_VERSION } from './migrations.ts';
import {
  GroupRecord,
  GuideRecord,
  ReferenceRecord,
  SceneRecord,
  SegmentRecord,
  SlotContent,
  SlotRecord,
} from './records.ts';
import { SceneFile } from './scene-file.ts';
import { BatchSettings, GuidanceSettings, Interval, SamplerSettings } from './settings.ts';

/** Names under which the parts appear in the schema, with a line for readers of other tools. */
const PARTS: readonly (readonly [string, z.ZodType, string])[] = [
  [
    'Scene',
    SceneRecord,
    'The canvas, the global text and how to make the picture; exactly one, with the id scene:main.',
  ],
  ['Segment', SegmentRecord, 'An area of the canvas and the slot that says what is in it; larger orders lie on top.'],
  ['Slot', SlotRecord, 'What fills a segment.'],
  ['SlotContent', SlotContent, 'A text, a picture, a crop of an earlier result, or a mix of two other slots.'],
  ['Group', GroupRecord, 'A folder of segments in the layer list.'],
  ['Reference', ReferenceRecord, 'A picture on the canvas to draw after; the model never sees it.'],
  ['Guide', GuideRecord, 'A guide line.'],
  ['Shape', Shape, `Applied in order to an empty mask; groups nest at most ${LIMITS.shapeDepth} deep.`],
  ['Point', Point, '[x, y] in scene pixels; (0, 0) is the top left corner of the canvas.'],
  ['StrokePoint', StrokePoint, '[x, y, pressure]; pressure 0..1 scales the width.'],
  ['Affine', Affine, "[a, b, c, d, e, f] as in SVG: x' = a x + c y + e, y' = b x + d y + f."],
  ['BlobHash', BlobHash, "The SHA-256 of a picture's bytes, 64 lower-case hexadecimal digits."],
  ['Guidance', GuidanceSettings, 'Classifier-free guidance with two conditions.'],
  ['Sampler', SamplerSettings, 'How the noise is taken off.'],
  ['Batch', BatchSettings, 'How many pictures.'],
  ['Interval', Interval, 'A stretch of the schedule as fractions: 0 is the first (noisiest) step, 1 the end.'],
];

/**
 * The scene file as JSON Schema (draft 2020-12), for editors and programs in other languages. It says what a file may
 * hold; that ids are unique and point at something, and that texts and shapes stay within the limits taken together, is
 * checked on reading.
 */
export function sceneJsonSchema(): Record<string, unknown> {
  const registry = z.registry<{ id?: string | undefined; description?: string | undefined }>();
  for (const [id, schema, description] of PARTS) registry.add(schema, { id, description });
  const json = z.toJSONSchema(SceneFile, {
    io: 'input',
    metadata: registry,
    override: ({ zodSchema, jsonSchema }) => {
      // The parser unrolls nested groups to the allowed depth; for readers they are simply shapes again.
      if (zodSchema === (Shape as unknown)) foldGroups(jsonSchema);
    },
  });
  return {
    $schema: json.$schema,
    $id: `urn:spatext:schema:scene:${SCENE_VERSION}`,
    title: 'SpaText Studio scene',
    ...json,
  };
}

function foldGroups(shape: { oneOf?: unknown[]; anyOf?: unknown[] }): void {
  for (const option of shape.oneOf ?? shape.anyOf ?? []) {
    const { properties } = option as { properties?: { shapes?: { items?: unknown } } };
    if (properties?.shapes) properties.shapes.items = { $ref: '#/$defs/Shape' };
  }
}
