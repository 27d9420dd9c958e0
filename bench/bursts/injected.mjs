// Floods made of real complaints: each copy from a conversation of its own, within a day, written a little differently.
const BURSTS = 10;
const HOUR_MS = 3_600_000;
const OPENINGS = ['', '', 'hi, ', 'Hello! ', 'please: ', '!!! '];
const ENDINGS = ['', '', '.', '!', ' thanks', ' :(', '\n\nsent from my phone'];
const OTHER_WORDS = ['really', 'again', 'always', 'still', 'maybe', 'just'];

/**
 * Bursts of `size` copies for one rule.
 * @param {'feedback' | 'exchange' | 'short-feedback'} alike
 * @param {import('./exchanges.mjs').Spoken[]} spoken
 * @param {() => number} random
 * @returns {import('./exchanges.mjs').Spoken[][]}
 */
export function bursts(alike, spoken, size, now, random) {
  const pick = (list) => list[Math.floor(random() * list.length)];
  const short = spoken.filter(({ feedback }) => within(feedback, 1, 4));
  const long = spoken.filter(({ feedback, rejected }) => within(feedback, 12, 60) && within(rejected, 40, 300));
  const sources = alike === 'short-feedback' ? short : long;
  return Array.from({ length: BURSTS }, (_, burst) => {
    const { feedback, rejected } = pick(sources);
    const little = pick(short).feedback;
    return Array.from({ length: size }, (_, index) => {
      const id = `burst-${burst}/${index}`;
      const base = { id, conversationId: id, occurredAt: now - Math.floor(random() * 23) * HOUR_MS };
      if (alike === 'feedback')
        return { ...base, feedback: varied(feedback, pick, random), rejected: pick(spoken).rejected };
      if (alike === 'exchange') return { ...base, feedback: little, rejected: varied(rejected, pick, random) };
      return {
        ...base,
        feedback: pick([feedback, feedback.toUpperCase(), `${feedback}!`]),
        rejected: pick(spoken).rejected,
      };
    });
  });
}

const within = (text, least, most) => {
  const count = text.split(/\s+/).length;
  return count >= least && count <= most;
};

/** Another opening and ending, another case, and one word in twelve replaced. */
function varied(text, pick, random) {
  const words = text.split(/(\s+)/).map((word) => (/\w/.test(word) && random() < 1 / 12 ? pick(OTHER_WORDS) : word));
  const changed = `${pick(OPENINGS)}${words.join('')}${pick(ENDINGS)}`;
  return random() < 0.2 ? changed.toUpperCase() : changed;
}
