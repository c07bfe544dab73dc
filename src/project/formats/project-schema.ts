import { z } from 'zod';
import { DocumentRecord } from '#shared/document/records.ts';
import { PROJECT_VERSION, ProjectHistory, ProjectManifest, ProjectResults } from './project-file.ts';

/**
 * The JSON parts of a `.spatext` container as JSON Schema (draft 2020-12): one definition for each part. Records are
 * those of the scene file and described there.
 */
export function projectJsonSchema(): Record<string, unknown> {
  const part = (schema: z.ZodType, description: string): Record<string, unknown> => {
    const json: Record<string, unknown> = z.toJSONSchema(schema, {
      io: 'input',
      override: ({ zodSchema, jsonSchema }) => {
        if (zodSchema !== (DocumentRecord as unknown)) return;
        for (const key of Object.keys(jsonSchema)) Reflect.deleteProperty(jsonSchema, key);
        jsonSchema.$ref = 'scene.schema.json#/properties/records/items';
      },
    });
    delete json['$schema'];
    return { description, ...json };
  };
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: `urn:spatext:schema:project:${PROJECT_VERSION}`,
    title: 'SpaText Studio project: the JSON parts of a .spatext container',
    $ref: '#/$defs/project.json',
    $defs: {
      'project.json': part(ProjectManifest, 'What else is in the container.'),
      'history.json': part(ProjectHistory, 'Undo and redo steps; each holds its forward change.'),
      'results.json': part(ProjectResults, 'Results kept with the scene, with everything needed to make them again.'),
    },
  };
}
