import type { Tokenizer } from '../../src/model/tokenizer.js';
import type { EnginePolicy } from '../../src/training/engine/training-engine.js';
import { OpenAiServer, type ReceivedRequest } from './openai-server.js';

export interface ServedModel {
  policy: EnginePolicy;
  tokenizer: Tokenizer;
}

/** A real model behind the API. It answers as it likes: the form that is asked for is not enforced. */
export function serveFreely({ policy, tokenizer }: ServedModel, maxNewTokens: number): Promise<OpenAiServer> {
  return OpenAiServer.start(async ({ body }) => {
    const promptIds = promptOf(tokenizer, body);
    const [sample] = await policy.sample([{ promptIds, seed: 1 }], { temperature: 0, topP: 1, topK: 0, maxNewTokens });
    return tokenizer.decode(sample!.ids, { skipSpecial: true });
  });
}

/** The same, held to the form: of some answers that the schema allows it gives the one that it finds most likely. */
export function serveInForm({ policy, tokenizer }: ServedModel, allowed: readonly object[]): Promise<OpenAiServer> {
  return OpenAiServer.start(async ({ body }) => {
    const promptIds = promptOf(tokenizer, body);
    const texts = allowed.map((answer) => JSON.stringify(answer));
    const logps = await policy.logprobs(texts.map((text) => ({ promptIds, completionIds: tokenizer.encode(text) })));
    const means = logps.map((each) => each.reduce((sum, logp) => sum + logp, 0) / each.length);
    return texts[means.indexOf(Math.max(...means))]!;
  });
}

function promptOf(tokenizer: Tokenizer, { messages }: ReceivedRequest['body']): number[] {
  const chat = messages.map(({ role, content }) => ({ role: role as 'system' | 'user' | 'assistant', content }));
  return tokenizer.encode(tokenizer.renderChat(chat, { addGenerationPrompt: true }));
}
