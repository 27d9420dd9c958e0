/** What a detector found: from `start` up to `end`, in UTF-16 units; never nothing. */
export interface Span {
  start: number;
  end: number;
}

/** Finds what is personal or secret in a text; the spans are in order. Time grows with the text's length, no faster. */
export type Detector = (text: string) => Span[];
