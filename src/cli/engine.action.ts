import type { EngineReport } from '../model/engine-report.js';

/** @throws DriftError `engine-unavailable` while the native library is not there */
export async function engine({ json = false }: { json?: boolean }): Promise<void> {
  const { engineReport } = await import('../model/engine-report.js');
  const report = engineReport();
  console.log(json ? JSON.stringify(report) : described(report));
}

function described(report: EngineReport): string {
  const { bf16, matMul } = report;
  const hardware = bf16.inHardware === null ? '' : bf16.inHardware ? ', in hardware' : ', not in hardware';
  const rows = [
    ['engine', `${report.engine}, backend ${report.backend}`],
    ['device', `${report.device} (${report.deviceName}), ${report.threads} threads`],
    ['library', `TensorFlow ${report.library} through ${report.package}`],
    ['bf16', `${bf16.works ? 'works' : 'gives wrong products'}${hardware}`],
    ['speed', `${matMul.fp32.toFixed(0)} GFLOP/s in fp32, ${matMul.bf16.toFixed(0)} GFLOP/s in bf16`],
  ];
  return rows.map(([name, value]) => `${name!.padEnd(9)}${value}`).join('\n');
}
