import { type ReplayResult, type ReplayTarget, replayConversations, replayTurns } from '../chat-log/replay.js';
import { readShareGptCorpus } from '../chat-log/sharegpt-corpus.js';
import { openTurnFile } from '../chat-log/turn-file.js';
import { type Config, loadConfig } from '../config/config.js';
import { requireAsset } from '../stack/assets.js';
import { withStack } from '../stack/stack.js';
import { ensureTopics, serviceTopics } from '../stack/topics.js';

export interface ReplayArguments {
  conversations: number;
  file?: string;
  salt?: string;
  rate?: number;
  json?: boolean;
}

const PROGRESS_MS = 2_000;

export async function replay(options: ReplayArguments): Promise<void> {
  const config = loadConfig();
  const file = options.file === undefined ? undefined : await openTurnFile(options.file);
  await withStack(config, ['kafka'], async (kafka) => {
    await ensureTopics(kafka, serviceTopics(config.topics));
    const target = { kafka, topic: config.topics.turns, turnsPerSecond: options.rate, onProgress: progress() };
    print(await (file ? replayTurns(file, target) : produce(config, options, target)), target.topic, options.json);
  });
}

async function produce(config: Config, options: ReplayArguments, target: ReplayTarget): Promise<ReplayResult> {
  const corpus = await readShareGptCorpus(requireAsset(config, 'chatLogs'));
  return replayConversations({ ...target, conversations: corpus.slice(0, options.conversations), salt: options.salt });
}

function progress(): (result: ReplayResult) => void {
  let next = PROGRESS_MS;
  return ({ conversations, turns, seconds }) => {
    if (seconds * 1_000 < next) return;
    next = seconds * 1_000 + PROGRESS_MS;
    console.error(`… ${turns} turns of ${conversations} conversations produced (${Math.round(seconds)} s)`);
  };
}

function print({ conversations, turns, seconds }: ReplayResult, topic: string, json = false): void {
  const rounded = Number(seconds.toFixed(2));
  if (json) console.log(JSON.stringify({ topic, conversations, turns, seconds: rounded }));
  else console.log(`produced ${turns} turns of ${conversations} conversations to ${topic} in ${rounded} s`);
}
