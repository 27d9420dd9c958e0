import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { register } from 'prom-client';
import { DatabaseMetrics } from '../metrics/database-metrics.js';
import { listenError } from './listen-error.js';
import { Readiness } from './readiness.js';

/** `/metrics`, `/healthz` and `/readyz`, on a port of their own, in every role; the last thing to close. */
@Injectable()
export class ManagementServer implements OnApplicationShutdown {
  private readonly logger = new Logger('management');
  private readonly server: Server;

  constructor(
    private readonly readiness: Readiness,
    private readonly databaseMetrics: DatabaseMetrics,
  ) {
    this.server = createServer((request, response) => {
      this.answer(request, response).catch((error: unknown) => {
        this.logger.error(error);
        send(response, 500, 'application/json', JSON.stringify({ status: 'error' }));
      });
    });
  }

  /** Resolves to the port that was taken. */
  listen(port: number, host: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.server.once('error', (error) => reject(listenError(error, port, host, 'DRIFTLOOP_MANAGEMENT_PORT')));
      this.server.listen(port, host, () => resolve((this.server.address() as AddressInfo).port));
    });
  }

  async onApplicationShutdown(): Promise<void> {
    if (!this.server.listening) return;
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.server.closeAllConnections();
    await closed;
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    switch (request.url?.split('?')[0]) {
      case '/healthz':
        return send(response, 200, 'application/json', JSON.stringify({ status: 'alive' }));
      case '/readyz':
        return this.answerReadiness(response);
      case '/metrics':
        await this.databaseMetrics.refresh();
        return send(response, 200, register.contentType, await register.metrics());
      default:
        return send(response, 404, 'application/json', JSON.stringify({ status: 'not found' }));
    }
  }

  private async answerReadiness(response: ServerResponse): Promise<void> {
    const reasons = await this.readiness.reasons();
    const ready = Object.keys(reasons).length === 0;
    const body = ready ? { status: 'ready' } : { status: 'not ready', reasons };
    send(response, ready ? 200 : 503, 'application/json', JSON.stringify(body));
  }
}

function send(response: ServerResponse, status: number, contentType: string, body: string): void {
  response.writeHead(status, { 'content-type': contentType, 'cache-control': 'no-store' }).end(body);
}
