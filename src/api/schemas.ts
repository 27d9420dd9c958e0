import { z } from 'zod';

/** A `Date` of the database, sent as RFC 3339. */
export const timestamp = z
  .date()
  .transform((date) => date.toISOString())
  .pipe(z.iso.datetime());

/** A measured number; null where it was not finite, which JSON cannot say. */
export const figure = z
  .union([z.number(), z.nan(), z.literal([Infinity, -Infinity])])
  .transform((value) => (Number.isFinite(value) ? value : null))
  .pipe(z.number().nullable());

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 500;

/** How many a page holds at most. */
export const limit = z.coerce.number().int().min(1).max(MAX_LIMIT).default(DEFAULT_LIMIT);

/** One page of a list: `nextCursor`, given back as `cursor`, continues it; null after the last page. */
export function pageSchema<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), nextCursor: z.string().nullable() });
}

/** Makes a page of one row more than `limit`, which only tells that there is a next page. */
export function pageOf<T>(
  rows: T[],
  limit: number,
  cursorOf: (row: T) => string,
): { items: T[]; nextCursor: string | null } {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, nextCursor: rows.length > limit && last ? cursorOf(last) : null };
}

/** For a page that is empty because nothing has the id that `cursor` gives: a list that ended says so before. */
export const UNKNOWN_CURSOR = [
  { path: 'cursor', message: 'is not the nextCursor of a page, or what it names is gone: begin again without cursor' },
];

/** RFC 9457. */
export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  detail: z.string().optional(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
});
export type Problem = z.output<typeof problemSchema>;
