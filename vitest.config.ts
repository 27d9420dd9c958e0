import { availableParallelism } from 'node:os';
import swc from 'unplugin-swc';
import { defineConfig } from 'vitest/config';

/** With real servers: one PostgreSQL and one Kafka for all of them. */
const withStack = { globalSetup: 'test/global-setup.ts', testTimeout: 180_000, hookTimeout: 180_000 };

/**
 * Whole processes that train and replay, several gigabytes each: two at a time, as one waits while the other computes, and
 * after the others.
 */
const heavy = { testTimeout: 600_000, maxWorkers: 2, sequence: { groupOrder: 1 } };

export default defineConfig({
  // Nest and TypeORM read decorator metadata, which vite's own transformer does not emit.
  plugins: [swc.vite({ module: { type: 'es6' } })],
  test: {
    pool: 'forks',
    teardownTimeout: 60_000,
    // On two cores vitest would run one file at a time, and most of these wait for a server.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['{src,scripts}/**/*.spec.ts', 'test/{deploy,package}/**/*.spec.ts'],
          testTimeout: 30_000,
        },
      },
      { extends: true, test: { name: 'medium', include: ['test/medium/**/*.spec.ts'], ...withStack } },
      {
        extends: true,
        test: {
          name: 'reference',
          include: ['test/reference/**/*.spec.ts'],
          ...heavy,
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/{e2e,faults}/**/*.spec.ts'],
          ...withStack,
          ...heavy,
        },
      },
    ],
  },
});
