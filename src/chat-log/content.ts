import { z } from 'zod';

/** A part of a message as OpenAI's API has it; parts of kinds yet unknown are kept as they are. */
export const contentPartSchema = z.looseObject({ type: z.string() });
export type ContentPart = z.output<typeof contentPartSchema>;

export const contentSchema = z.union([z.string(), z.array(contentPartSchema)]);

export interface RenderedContent {
  text: string;
  /** Null where the text says all that was sent. */
  parts: ContentPart[] | null;
}

/** Text as the classifier reads it: what is not text becomes a placeholder such as `[image]`. */
export function renderContent(content: string | ContentPart[]): RenderedContent {
  if (typeof content === 'string') return { text: content, parts: null };
  const texts = content.map(plainText);
  const text = content.map((part, index) => texts[index] ?? placeholder(part)).join('\n');
  return { text, parts: texts.includes(undefined) ? content : null };
}

function plainText(part: ContentPart): string | undefined {
  const isText = part.type === 'text' || part.type === 'input_text' || part.type === 'output_text';
  return isText && typeof part.text === 'string' ? part.text : undefined;
}

const PLACEHOLDERS = new Map([
  ['image_url', 'image'],
  ['input_image', 'image'],
  ['input_audio', 'audio'],
  ['video_url', 'video'],
  ['input_file', 'file'],
]);

const CALLS = new Set(['function', 'tool_call', 'server_tool_call', 'tool_use']);

function placeholder(part: ContentPart): string {
  if (part.type === 'refusal' && typeof part.refusal === 'string') return part.refusal;
  if (part.type === 'tool_result') return toolResult(part.content);
  if (part.type === 'output_audio') return transcript(part.audio);
  if (CALLS.has(part.type)) return `[tool call${named(part.function ?? part)}]`;
  if (part.type === 'input_file' || (part.type === 'file' && !modality(part)))
    return `[file${named(part.file ?? part)}]`;
  return `[${(PLACEHOLDERS.get(part.type) ?? modality(part) ?? part.type).slice(0, 64)}]`;
}

/** What OpenTelemetry says of a part that is a `blob`, a `file` or a `uri`. */
function modality(part: ContentPart): string | undefined {
  return typeof part.modality === 'string' ? part.modality : undefined;
}

/** What was said in an answer of OpenAI's that is sound. */
function transcript(audio: unknown): string {
  const { transcript } = Object(audio) as { transcript?: unknown };
  return typeof transcript === 'string' ? transcript : '[audio]';
}

function toolResult(content: unknown): string {
  const parsed = contentSchema.safeParse(content);
  return parsed.success ? renderContent(parsed.data).text : '[tool result]';
}

function named(source: unknown): string {
  const { name, filename } = Object(source) as { name?: unknown; filename?: unknown };
  const given = name ?? filename;
  return typeof given === 'string' ? `: ${given.slice(0, 200)}` : '';
}
