import { z } from 'zod';

const reviewer = z
  .string()
  .regex(/^[\w.-]{1,64}=\S{16,}$/, 'expected NAME=KEY, the key of at least 16 characters')
  .transform((entry) => {
    const at = entry.indexOf('=');
    return { name: entry.slice(0, at), key: entry.slice(at + 1) };
  });

/** Who may review under which key. */
export type Reviewer = z.output<typeof reviewer>;

const reviewers = z
  .array(reviewer)
  .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, 'a name is there twice')
  .refine((all) => new Set(all.map(({ key }) => key)).size === all.length, 'two reviewers have the same key');

/** The keys of the configuration that say who reviews verdicts, and how. */
export const reviewKeys = {
  DRIFTLOOP_REVIEWERS: z
    .string()
    .default('')
    .transform((value) => value.split(',').flatMap((entry) => entry.trim() || []))
    .pipe(reviewers)
    .describe(
      'Who may review verdicts ([reviews](reviews.md)): `NAME=KEY` of each, separated by commas. Without them there is no queue.',
    ),
  DRIFTLOOP_REVIEW_LEASE_MINUTES: z.coerce
    .number()
    .int()
    .min(1)
    .max(1_440)
    .default(15)
    .describe('How long a turn that a reviewer was given is kept from others.'),
  DRIFTLOOP_REVIEW_DOUBLE_SHARE: z.coerce
    .number()
    .min(0)
    .max(1)
    .default(0.2)
    .describe('Share of the turns that two reviewers are to read, so that it is known how they agree.'),
};
