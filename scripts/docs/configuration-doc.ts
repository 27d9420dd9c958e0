import { z } from 'zod';
import { configSchema, SECRETS } from '../../src/config/config.js';

interface KeySchema {
  description?: string;
  default?: unknown;
  type?: string;
  format?: string;
  enum?: string[];
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
}

/** `docs/configuration.md`: every key of the schema, what it takes and what it is without being set. */
export function configurationDoc(): string {
  const rows = Object.entries(configSchema.shape).map(([key, schema]) => {
    const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as KeySchema;
    return `| \`${key}\` | ${allowed(json)} | ${json.default === undefined ? '' : `\`${json.default}\``} | ${json.description} |`;
  });
  return `${INTRODUCTION}\n${rows.join('\n')}\n`;
}

const INTRODUCTION = `# Configuration

Generated from \`src/config/config.ts\` by \`npm run docs\`; do not edit.

Everything is configured by environment variables. They are checked when a command starts: one that is not valid ends it
with exit code 2 and names the key, what was wrong and what is allowed. An empty variable counts as absent.
${SECRETS.map((key) => `\`${key}\``).join(', ')} may be in a file instead: the same name with \`_FILE\` gives its path.

| Key | Takes | Default | Meaning |
| --- | --- | --- | --- |`;

function allowed({ type, enum: values, minimum, maximum, exclusiveMinimum, format }: KeySchema): string {
  if (values) return values.map((value) => `\`${value}\``).join(', ');
  if (minimum !== undefined) return `${type}, ${minimum} to ${maximum}`;
  if (exclusiveMinimum !== undefined) return `${type} above ${exclusiveMinimum}`;
  return format === 'uri' ? 'URL' : (type ?? 'text');
}
