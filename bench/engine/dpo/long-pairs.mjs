/**
 * Pairs of exact lengths, made of the ids of shorter ones in turn.
 * @param {{ prompt_ids: number[], chosen_ids: number[], rejected_ids: number[] }[]} pairs
 * @param {number} count
 * @param {{ promptTokens: number, completionTokens: number }} lengths
 */
export function longPairs(pairs, count, { promptTokens, completionTokens }) {
  return Array.from({ length: count }, (_, i) => {
    const turned = [...pairs.slice(i), ...pairs.slice(0, i)];
    return {
      prompt_ids: turned.flatMap(({ prompt_ids }) => prompt_ids).slice(0, promptTokens),
      chosen_ids: turned.flatMap(({ chosen_ids }) => chosen_ids).slice(0, completionTokens),
      rejected_ids: turned.flatMap(({ rejected_ids }) => rejected_ids).slice(0, completionTokens),
    };
  });
}
