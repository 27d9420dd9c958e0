import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface ProfileNode {
  id: number;
  callFrame: { functionName: string; url: string };
  children?: number[];
}
interface CpuProfile {
  nodes: ProfileNode[];
  samples: number[];
  timeDeltas: number[];
}

/** What a frame's time, and that of what it calls, is counted as; the innermost one that is known. */
const STAGES: [stage: string, frame: (url: string, name: string) => boolean][] = [
  ['garbage collection', (_, name) => name === '(garbage collector)'],
  ['redact', (url) => url.includes('/src/privacy/')],
  ['second stage', (url) => url.includes('classify.service') || url.includes('second-stage')],
  ['first stage', (url) => url.includes('/src/dsat/linear-stage') || url.includes('/src/dsat/first-stage')],
  ['decode', (url) => url.includes('/chat-log/decode-record') || url.includes('/chat-log/formats/')],
  ['write rows', (url) => url.includes('/node_modules/pg') || url.includes('/node_modules/typeorm/')],
  ['read Kafka', (url) => url.includes('/node_modules/kafkajs/')],
  ['fingerprint', (url) => url.includes('/chat-log/read-on')],
  ['store', (url) => url.includes('/chat-log/')],
];

/** Share of the time that the process was busy in each stage, the largest first, and its hottest functions. */
export function whereTimeGoes(dir: string): { stages: [string, number][]; functions: [string, number][] } {
  const file = readdirSync(dir).find((name) => name.endsWith('.cpuprofile'))!;
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(join(dir, file), 'utf8')) as CpuProfile;
  const busy = nodes.filter(({ callFrame }) => callFrame.functionName !== '(idle)');
  const stageOf = stages(nodes);
  const names = new Map(
    busy.map(({ id, callFrame }) => [
      id,
      `${callFrame.functionName || '(anonymous)'} ${callFrame.url.split('/').slice(-2).join('/')}`,
    ]),
  );
  return {
    stages: shares(new Map(busy.map(({ id }) => [id, stageOf.get(id)!])), samples, timeDeltas),
    functions: shares(names, samples, timeDeltas).slice(0, 25),
  };
}

function stages(nodes: ProfileNode[]): Map<number, string> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const found = new Map<number, string>();
  const visit = (node: ProfileNode, outer: string) => {
    const { url, functionName } = node.callFrame;
    const stage = STAGES.find(([, matches]) => matches(url, functionName))?.[0] ?? outer;
    found.set(node.id, stage);
    for (const child of node.children ?? []) visit(byId.get(child)!, stage);
  };
  visit(nodes[0]!, 'other');
  return found;
}

function shares(groupOf: Map<number, string>, samples: number[], deltas: number[]): [string, number][] {
  const sums = new Map<string, number>();
  for (const [index, sample] of samples.entries()) {
    const group = groupOf.get(sample);
    if (group === undefined) continue; // idle
    sums.set(group, (sums.get(group) ?? 0) + deltas[index]!);
  }
  const total = [...sums.values()].reduce((sum, value) => sum + value, 0);
  return [...sums].map(([group, sum]): [string, number] => [group, sum / total]).sort((a, b) => b[1] - a[1]);
}
