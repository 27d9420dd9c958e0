import 'reflect-metadata';
import { describe, expect, it } from 'vitest';
import { asyncApiDoc } from './asyncapi-doc.js';
import { configurationDoc } from './configuration-doc.js';
import { schemaDocs } from './json-schemas.js';
import { metricsDoc } from './metrics-doc.js';
import { openApiDoc } from './openapi-doc.js';

// `npm run docs` writes the files (vitest --update); here a stale one fails.
describe('generated documents', () => {
  it('docs/configuration.md says what the schema of the configuration says', async () => {
    await expect(configurationDoc()).toMatchFileSnapshot('../../docs/configuration.md');
  });

  it('docs/metrics.md lists the metrics that the service defines', async () => {
    await expect(metricsDoc()).toMatchFileSnapshot('../../docs/metrics.md');
  });

  it('docs/openapi.json is the document that the API answers', async () => {
    await expect(await openApiDoc()).toMatchFileSnapshot('../../docs/openapi.json');
  });

  it('docs/asyncapi.json describes the topics and all forms of records', async () => {
    await expect(asyncApiDoc()).toMatchFileSnapshot('../../docs/asyncapi.json');
  });

  it.each(Object.entries(schemaDocs()))('docs/schemas/%s is the JSON Schema of its events', async (file, text) => {
    await expect(text).toMatchFileSnapshot(`../../docs/schemas/${file}`);
  });
});
