/**
 * Beats while a batch is worked on. A heartbeat that fails means that the group rebalances: the signal then ends the
 * work early, and kafkajs, whose own next heartbeat fails too, joins again.
 */
export class HeartbeatTimer {
  private readonly lost = new AbortController();
  private readonly timer: NodeJS.Timeout;
  readonly signal: AbortSignal;

  constructor(heartbeat: () => Promise<void>, everyMs: number, ended: AbortSignal) {
    this.signal = AbortSignal.any([this.lost.signal, ended]);
    this.timer = setInterval(() => heartbeat().catch(() => this.lost.abort()), everyMs);
  }

  stop(): void {
    clearInterval(this.timer);
  }
}
