import { parse, resolve } from 'node:path';
import type { AnchorCase, AnchorSummary } from '../anchor/anchor.js';
import { exportLines } from '../anchor/anchor-export.js';
import { importAnchors } from '../anchor/anchor-import.js';
import { type AnchorFilter, listAnchors, readAnchorCase } from '../anchor/anchor-read.js';
import { releaseAnchors } from '../anchor/quarantine/quarantine-bursts.js';
import { rememberExport } from '../erasure/exported-files.js';
import { harmless } from '../harmless.js';
import { createPrivacy } from '../privacy/privacy.js';
import { EXIT } from './program.js';
import { fields, minute, printJson, table } from './terminal.js';
import { withData } from './with-data.js';
import { writeLines } from './write-lines.js';

type SelectOptions = Pick<AnchorFilter, 'state' | 'origin' | 'rubric' | 'limit'>;
export type ListOptions = SelectOptions & { json?: boolean };
export type ShowOptions = { json?: boolean };
export type ExportOptions = SelectOptions & { out?: string };
export type ImportOptions = { source?: string; limit?: number; json?: boolean };

export async function list({ json, ...filter }: ListOptions): Promise<void> {
  const anchors = await withData((dataSource) => listAnchors(dataSource, filter));
  if (json) return printJson(anchors);
  if (anchors.length === 0) return console.error('no anchors');
  console.log(table(['id', 'created (UTC)', 'state', 'rubric', 'P(dsat)', 'feedback'], anchors.map(row)));
}

function row({ id, createdAt, state, rubric, confidence, feedback }: AnchorSummary): string[] {
  return [id, minute(createdAt), state, rubric ?? '', confidence?.toFixed(2) ?? '', feedback ?? ''];
}

export async function show(id: string, { json }: ShowOptions): Promise<void> {
  const anchor = await withData((dataSource) => readAnchorCase(dataSource, id));
  if (json) return printJson([anchor]);
  console.log(facts(anchor));
  for (const { role, content } of anchor.prompt) printMessage(role, content);
  printMessage('assistant (rejected)', anchor.rejected);
  if (anchor.feedback !== null) printMessage('user (feedback)', anchor.feedback);
}

function facts({
  id,
  state,
  origin,
  source,
  rubric,
  confidence,
  conversationId,
  turn,
  policyVersion,
  model,
  createdAt,
}: AnchorCase): string {
  return fields({
    id,
    state,
    origin: source === null ? origin : `${origin} from ${source}`,
    rubric,
    'P(dsat)': confidence?.toFixed(2),
    conversation: `${conversationId}, turn ${turn}`,
    'policy version': policyVersion,
    model,
    created: `${minute(createdAt)} UTC`,
  });
}

function printMessage(who: string, text: string): void {
  console.log(`\n── ${who}\n${harmless(text)}`);
}

export async function exportAnchors({ out, ...filter }: ExportOptions): Promise<void> {
  const written = await withData(async (dataSource) => {
    if (out) await rememberExport(dataSource, resolve(out));
    return writeLines(exportLines(dataSource, filter), out);
  });
  console.error(`${written} anchors${out ? ` in ${out}` : ''}`);
  if (written === 0) process.exitCode = EXIT.nothingToDo;
}

export async function importFile(file: string, { source, limit, json }: ImportOptions): Promise<void> {
  const counts = await withData((dataSource, config) =>
    importAnchors({ dataSource, privacy: createPrivacy(config) }, file, source ?? parse(file).name, limit),
  );
  const { read, imported, known, skipped } = counts;
  if (imported === 0) process.exitCode = EXIT.nothingToDo;
  if (json) return console.log(JSON.stringify(counts));
  console.log(`${imported} anchors imported of ${read} lines, ${known} were there already`);
  if (skipped.tied + skipped.empty > 0) {
    console.error(
      `left out: ${skipped.tied} where chosen and rejected are the same, ${skipped.empty} with an empty reply`,
    );
  }
}

export async function release(ids: string[]): Promise<void> {
  await withData((dataSource) => releaseAnchors(dataSource, ids));
  console.error(`${ids.length} anchors released`);
}
