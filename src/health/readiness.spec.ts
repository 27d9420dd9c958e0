import { describe, expect, it } from 'vitest';
import { Readiness } from './readiness.js';

describe('Readiness', () => {
  it('is ready while no part gives a reason', async () => {
    const readiness = new Readiness();
    readiness.add('database', async () => undefined);
    expect(await readiness.reasons()).toEqual({});
  });

  it('names each part that is not ready, also one that throws or hangs', async () => {
    const readiness = new Readiness();
    readiness.add('consumer', async () => 'not in the group yet');
    readiness.add('database', async () => {
      throw new Error('connection refused');
    });
    readiness.add('broker', () => new Promise(() => {}));
    expect(await readiness.reasons(5)).toEqual({
      consumer: 'not in the group yet',
      database: 'connection refused',
      broker: 'no answer within 5 ms',
    });
  });

  it('is not ready once it drains, whatever the parts say', async () => {
    const readiness = new Readiness();
    readiness.add('database', async () => undefined);
    readiness.drain();
    expect(await readiness.reasons()).toEqual({ service: 'shutting down' });
  });
});
