// Preloaded into the processes that the harness starts: SIGUSR2 makes their clock jump by the milliseconds that stand in
// the file CLOCK_FILE.
import { readFileSync } from 'node:fs';

const RealDate = Date;
let jumpMs = 0;

globalThis.Date = class JumpingDate extends RealDate {
  constructor(...given) {
    if (given.length === 0) super(RealDate.now() + jumpMs);
    else super(...given);
  }

  static now() {
    return RealDate.now() + jumpMs;
  }
};

process.on('SIGUSR2', () => {
  jumpMs = Number(readFileSync(process.env.CLOCK_FILE, 'utf8'));
});
