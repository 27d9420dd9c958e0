import { parse } from 'node:path';
import type { AnchorCase, AnchorSummary } from '../anchor/anchor.js';
import { exportLines } from '../anchor/anchor-export.js';
import { importAnchors } from '../anchor/anchor-import.js';
import { type AnchorFilter, listAnchors, readAnchorCase } from '../anchor/anchor-read.js';
import { quarantineBursts } from '../anchor/bursts/quarantine-bursts.js';
import { type AnchorDecision, decideAnchors } from '../anchor/decide-anchors.js';
import { harmless } from '../harmless.js';
import { createPrivacy } from '../privacy/privacy.js';
import { requireOwnKey } from '../privacy/require-own-key.js';
import { EXIT } from './program.js';
import { fields, minute, printJson, table } from './terminal.js';
import { withData } from './with-data.js';
import { writeExport } from './write-export.js';
import { writeLines } from './write-lines.js';

type SelectOptions = Pick<AnchorFilter, 'state' | 'origin' | 'rubric' | 'limit'>;
export type ListOptions = SelectOptions & { json?: boolean };
export type ShowOptions = { json?: boolean };
export type ExportOptions = SelectOptions & { out?: string };
export type QuarantineOptions = { json?: boolean };
export type DecideOptions = { why: string };
export type ImportOptions = { source?: string; limit?: number; json?: boolean };

export async function list({ json, ...filter }: ListOptions): Promise<void> {
  const anchors = await withData((dataSource) => listAnchors(dataSource, filter));
  if (json) return printJson(anchors);
  if (anchors.length === 0) return console.error('no anchors');
  console.log(listing(anchors));
}

/** Why an anchor is in its state has a column where one of them is in another than it was born in. */
function listing(anchors: readonly AnchorSummary[]): string {
  const decided = anchors.some(({ stateReason }) => stateReason !== null);
  const header = ['id', 'created (UTC)', 'state', ...(decided ? ['because of'] : []), 'rubric', 'P(dsat)', 'feedback'];
  const rows = anchors.map(({ id, createdAt, state, stateReason, rubric, confidence, feedback }) => [
    ...[id, minute(createdAt), state],
    ...(decided ? [stateReason ?? ''] : []),
    ...[rubric ?? '', confidence?.toFixed(2) ?? '', feedback ?? ''],
  ]);
  return table(header, rows);
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
  stateReason,
  disputedBy,
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
    'because of': stateReason,
    'no anchor by': disputedBy,
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
  const written = await withData((dataSource) => {
    const lines = exportLines(dataSource, filter);
    return out ? writeExport(dataSource, lines, out) : writeLines(lines);
  });
  console.error(`${written} anchors${out ? ` in ${out}` : ''}`);
  if (written === 0) process.exitCode = EXIT.nothingToDo;
}

export async function importFile(file: string, { source, limit, json }: ImportOptions): Promise<void> {
  const counts = await withData(async (dataSource, config) => {
    const privacy = createPrivacy(config);
    // With another key the same lines make other anchors, and what is erased is not known.
    await requireOwnKey(dataSource, privacy.pseudonyms);
    return importAnchors({ dataSource, privacy }, file, source ?? parse(file).name, limit);
  });
  const { read, imported, known, skipped } = counts;
  if (imported === 0) process.exitCode = EXIT.nothingToDo;
  if (json) return console.log(JSON.stringify(counts));
  console.log(`${imported} anchors imported of ${read} lines, ${known} were there already`);
  if (skipped.tied + skipped.empty + skipped.erased > 0) {
    console.error(
      `left out: ${skipped.tied} where chosen and rejected are the same, ${skipped.empty} with an empty reply, ${skipped.erased} erased`,
    );
  }
}

export async function quarantine({ json }: QuarantineOptions): Promise<void> {
  const bursts = await withData((dataSource) => quarantineBursts(dataSource, 'all'));
  if (bursts.length === 0) process.exitCode = EXIT.nothingToDo;
  if (json) return printJson(bursts);
  if (bursts.length === 0) return console.error('no bursts among the active anchors');
  console.log(
    table(
      ['anchors', 'first', 'reason'],
      bursts.map(({ ids, reason }) => [String(ids.length), ids[0]!, reason]),
    ),
  );
}

export async function decide(decision: AnchorDecision, ids: string[], { why }: DecideOptions): Promise<void> {
  await withData((dataSource) => decideAnchors(dataSource, decision, ids, why));
  console.log(`${ids.length} anchors ${decision === 'release' ? 'released' : 'retired'}`);
}
