/** The item whose value is the median; of two in the middle the larger. */
export function middleBy<T>(items: T[], value: (item: T) => number): T {
  return items.toSorted((a, b) => value(a) - value(b))[items.length >> 1]!;
}
