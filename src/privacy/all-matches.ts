/** Matches of a global expression. Most texts have none: they cost one search, and nothing is made. */
export function allMatches(text: string, expression: RegExp): RegExpExecArray[] {
  return text.search(expression) < 0 ? [] : [...text.matchAll(expression)];
}
