import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReceivedRequest {
  authorization?: string;
  body: {
    model: string;
    messages: { role: string; content: string }[];
    max_tokens: number;
    response_format: { type: string; json_schema: { name: string; strict: boolean; schema: Record<string, unknown> } };
  };
}

/** Text of an answer, or something that answers by itself, or does not. */
export type Behaviour = (
  request: ReceivedRequest,
  response: ServerResponse,
) => string | undefined | Promise<string | undefined>;

/** A real HTTP server on loopback that speaks the part of OpenAI's chat completions that is used. */
export class OpenAiServer {
  readonly requests: ReceivedRequest[] = [];
  private constructor(
    private readonly server: Server,
    public behave: Behaviour,
  ) {}

  static async start(behave: Behaviour): Promise<OpenAiServer> {
    const server = createServer((request, response) => {
      openAi.handle(request, response).catch((error) => response.destroy(error));
    });
    const openAi = new OpenAiServer(server, behave);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return openAi;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'POST' || request.url !== '/v1/chat/completions') return void response.writeHead(404).end();
    const body = JSON.parse(await textOf(request));
    const received = { authorization: request.headers.authorization, body };
    this.requests.push(received);
    const content = await this.behave(received, response);
    if (content !== undefined) answer(response, content);
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

/** A whole chat completion of OpenAI's, with 100 tokens read and 10 written. */
export function answer(response: ServerResponse, content: string): void {
  const completion = {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1_700_000_000,
    model: 'test',
    choices: [{ index: 0, message: { role: 'assistant', content, refusal: null }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 100, completion_tokens: 10, total_tokens: 110 },
  };
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(completion));
}

/** Answers with an error in OpenAI's form. */
export function refuse(response: ServerResponse, status: number, headers: Record<string, string> = {}): undefined {
  const error = { message: 'it quotes what was sent', type: 'server_error', code: 'busy' };
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify({ error }));
}

/** The exchanges that a request of the judge asks about. */
export function exchangesOf({ body }: ReceivedRequest): { exchange: number; reply: string; next: string }[] {
  const question = body.messages.find(({ role }) => role === 'user')!;
  return question.content.split('\n').map((line) => JSON.parse(line));
}

/** Judges by the words of the scripted classifier: BAD shows the first item of dissatisfaction, GOOD that of satisfaction. */
export const scoreByWord: Behaviour = (request) =>
  JSON.stringify({
    exchanges: exchangesOf(request).map(({ exchange, next }) => ({
      exchange,
      items: [
        ...(next.includes('BAD') ? [{ item: 'D1', impact: 9 }] : []),
        ...(next.includes('GOOD') ? [{ item: 'S1', impact: 9 }] : []),
      ],
    })),
  });
