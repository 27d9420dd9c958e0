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
  ['decode', (url) => /\/chat-log\/(decode-record|packed-messages|record-reader|formats\/)/.test(url)],
  ['write rows', (url) => url.includes('/node_modules/pg') || url.includes('/node_modules/typeorm/')],
  ['read Kafka', (url) => url.includes('/node_modules/kafkajs/')],
  ['fingerprint', (url) => url.includes('/chat-log/read-on')],
  ['store', (url) => url.includes('/chat-log/')],
];

/** Share of the time that the process's threads were busy in each stage, the largest first, and its hottest functions. */
export function whereTimeGoes(dir: string): { stages: [string, number][]; functions: [string, number][] } {
  const files = readdirSync(dir).filter((name) => name.endsWith('.cpuprofile'));
  const profiles = files.map((file) => JSON.parse(readFileSync(join(dir, file), 'utf8')) as CpuProfile);
  return {
    stages: shares(profiles, ({ nodes }) => stages(nodes)),
    functions: shares(profiles, ({ nodes }) => new Map(nodes.map((node) => [node.id, nameOf(node)]))).slice(0, 25),
  };
}

function nameOf({ callFrame: { functionName, url } }: ProfileNode): string {
  return `${functionName || '(anonymous)'} ${url.split('/').slice(-2).join('/')}`;
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

function shares(profiles: CpuProfile[], groupsOf: (profile: CpuProfile) => Map<number, string>): [string, number][] {
  const sums = new Map<string, number>();
  for (const profile of profiles) {
    const idle = new Set(
      profile.nodes.filter(({ callFrame }) => callFrame.functionName === '(idle)').map(({ id }) => id),
    );
    const groups = groupsOf(profile);
    for (const [index, sample] of profile.samples.entries()) {
      if (idle.has(sample)) continue;
      const group = groups.get(sample)!;
      sums.set(group, (sums.get(group) ?? 0) + profile.timeDeltas[index]!);
    }
  }
  const total = [...sums.values()].reduce((sum, value) => sum + value, 0);
  return [...sums].map(([group, sum]): [string, number] => [group, sum / total]).sort((a, b) => b[1] - a[1]);
}
