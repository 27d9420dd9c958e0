import { z } from 'zod';
import type { Message } from './messages.js';

const callDeltaSchema = z.object({
  index: z.int().nonnegative(),
  id: z.string().nullish(),
  type: z.string().nullish(),
  function: z.object({ name: z.string().nullish(), arguments: z.string().nullish() }).nullish(),
});

/** What a chunk adds to the message. */
const deltaSchema = z.object({
  content: z.string().nullish(),
  refusal: z.string().nullish(),
  tool_calls: z.array(callDeltaSchema).nullish(),
});

/** A chunk of a streamed answer of OpenAI's chat completions. */
export const chunkSchema = z.object({
  object: z.literal('chat.completion.chunk'),
  model: z.string().nullish(),
  choices: z.array(z.object({ index: z.int().nonnegative(), delta: deltaSchema })),
});
type Chunk = z.output<typeof chunkSchema>;

/** Puts a stream together: the answer as it would have come without one. */
export function joinChunks(chunks: readonly Chunk[]): { model?: string | null; choices: { message: Message }[] } {
  const deltas = chunks.flatMap(({ choices }) => choices);
  const indexes = [...new Set(deltas.map(({ index }) => index))];
  const choices = indexes.map((index) => ({
    message: joinDeltas(deltas.filter((choice) => choice.index === index).map(({ delta }) => delta)),
  }));
  return { model: chunks.find(({ model }) => model)?.model, choices };
}

type Delta = z.output<typeof deltaSchema>;
type CallDelta = z.output<typeof callDeltaSchema>;

function joinDeltas(deltas: readonly Delta[]): Message {
  const text = (of: (delta: Delta) => string | null | undefined) => deltas.map((delta) => of(delta) ?? '').join('');
  const calls = deltas.flatMap(({ tool_calls: given }) => given ?? []);
  const indexes = [...new Set(calls.map(({ index }) => index))];
  return {
    role: 'assistant',
    content: text(({ content }) => content),
    refusal: text(({ refusal }) => refusal) || null,
    tool_calls: indexes.map((index) => joinCalls(calls.filter((call) => call.index === index))),
  };
}

function joinCalls(deltas: readonly CallDelta[]) {
  const first = <T>(of: (delta: CallDelta) => T | null | undefined) => deltas.map(of).find((value) => value != null);
  return {
    id: first(({ id }) => id),
    type: first(({ type }) => type) ?? 'function',
    function: {
      name: first((delta) => delta.function?.name),
      arguments: deltas.map((delta) => delta.function?.arguments ?? '').join(''),
    },
  };
}
