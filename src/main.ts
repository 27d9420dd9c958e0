#!/usr/bin/env node
import 'reflect-metadata';
import { CommanderError } from 'commander';
import { createProgram, EXIT, exitCodeOf } from './cli/program.js';
import { DriftError } from './drift-error.js';

// Whoever reads may have seen enough, as `head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(EXIT.done);
});

try {
  await (await createProgram()).parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? EXIT.done : EXIT.usage;
  } else {
    console.error(error instanceof DriftError ? `driftloop: ${error.message}` : error);
    process.exitCode = exitCodeOf(error);
  }
}
