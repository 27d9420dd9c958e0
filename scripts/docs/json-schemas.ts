import { z } from 'zod';
import { FORMATS } from '../../src/chat-log/formats/registry.js';
import { policyPublishedSchema } from '../../src/policy/policy-event.js';

/** The schemas that Driftloop itself defines, by name and version. */
const OWN_SCHEMAS: Record<string, z.ZodType> = {
  ...Object.fromEntries(
    FORMATS.filter(({ name }) => name.startsWith('driftloop.')).map(({ name, schema }) => [name, schema]),
  ),
  'driftloop.policy-published.v1': policyPublishedSchema,
};

/** `docs/schemas/NAME.json`: the JSON Schema (2020-12) of each, by file name. */
export function schemaDocs(): Record<string, string> {
  const docs = Object.entries(OWN_SCHEMAS).map(([name, schema]) => {
    const { $schema, ...rest } = jsonSchema(schema, 'draft-2020-12');
    return [
      `${name}.json`,
      `${JSON.stringify({ $schema, $id: `urn:${name.replaceAll('.', ':')}`, ...rest }, null, 2)}\n`,
    ];
  });
  return Object.fromEntries(docs);
}

/** What a schema takes. */
export function jsonSchema(schema: z.ZodType, target: 'draft-7' | 'draft-2020-12'): Record<string, unknown> {
  const json = z.toJSONSchema(schema, { io: 'input', target, unrepresentable: 'any' });
  const { $schema, $ref, $defs, definitions = $defs } = json;
  if ($ref === undefined) return json;
  // A schema with an id of its own comes as a reference to a definition.
  const { id: _, ...definition } = Object(definitions)[$ref.split('/').at(-1)!] as Record<string, unknown>;
  return { $schema, ...definition };
}
