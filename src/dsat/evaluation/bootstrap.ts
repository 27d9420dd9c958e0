/** The middle 95 % of a figure over samples of whole conversations, drawn with replacement; the same every time. */
export function bootstrapInterval<T extends { conversation: string }>(
  turns: T[],
  figure: (turns: T[]) => number,
  samples = 1_000,
): [number, number] {
  const conversations = byConversation(turns);
  const random = generator(1);
  const draw = () => conversations[Math.floor(random() * conversations.length)]!;
  const values = Array.from({ length: samples }, () => figure(conversations.flatMap(draw))).sort((a, b) => a - b);
  return [values[Math.floor(samples * 0.025)]!, values[Math.ceil(samples * 0.975) - 1]!];
}

function byConversation<T extends { conversation: string }>(turns: T[]): T[][] {
  const groups = new Map<string, T[]>();
  for (const turn of turns) {
    const group = groups.get(turn.conversation);
    if (group) group.push(turn);
    else groups.set(turn.conversation, [turn]);
  }
  return [...groups.values()];
}

/** mulberry32: numbers from 0 to 1 that a seed repeats. */
function generator(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let hash = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    hash = (hash + Math.imul(hash ^ (hash >>> 7), 61 | hash)) ^ hash;
    return ((hash ^ (hash >>> 14)) >>> 0) / 2 ** 32;
  };
}
