import { createHash } from 'node:crypto';
import type { AnchorTexts } from '../prompt/prepare-anchor.js';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** Hash of what one anchor says. */
export function contentHash({ prompt, rejected, feedback }: AnchorTexts): string {
  const messages = prompt.map(({ role, content }) => [role, content]);
  return sha256(JSON.stringify([messages, rejected, feedback]));
}

/** sha256 over ids and contents of a run's anchors, in the order of their ids. */
export function snapshotHash(anchors: readonly { id: string; contentHash: string }[]): string {
  const lines = anchors.map(({ id, contentHash }) => `${id} ${contentHash}\n`).sort();
  return sha256(lines.join(''));
}
