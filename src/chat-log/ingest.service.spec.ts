import { EventEmitter, once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { type FetchedBatch, IngestService, type IngestTools } from './ingest.service.js';

const POSITION = { nextOffset: 7n, last: null };

/** A batch whose reading never ends, and how it is given up. */
function stuck(given: Partial<FetchedBatch> = {}) {
  const reading = new AbortController();
  const tools: Partial<IngestTools> = { reader: { read: () => new Promise<never>(() => {}) } };
  const ingest = new IngestService(tools as IngestTools);
  const source = { consumerGroup: 'group', topic: 'turns', partition: 0 };
  const batch = { source, position: POSITION, messages: [], nextOffset: 8n, signal: reading.signal, ...given };
  return { outcome: ingest.ingest(batch), giveUp: () => reading.abort() };
}

describe('a batch that is given up while its records are read', () => {
  it('ends at once, with nothing of it stored', async () => {
    const { outcome, giveUp } = stuck();
    giveUp();
    expect(await outcome).toEqual({ outcome: 'stored', position: POSITION });
  });

  it('ends after the batch before it', async () => {
    const stored = new EventEmitter();
    const ends: string[] = [];
    const { outcome, giveUp } = stuck({ before: once(stored, 'before').then(() => void ends.push('before')) });
    const ended = outcome.then(() => ends.push('given up'));
    giveUp();
    await new Promise(setImmediate);
    stored.emit('before');
    await ended;
    expect(ends).toEqual(['before', 'given up']);
  });
});
