import { InvalidArgumentError } from 'commander';

/** Parses the argument of an option that counts something. */
export function atLeastOne(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError('Expected a whole number from 1.');
  return count;
}
