import { register } from 'prom-client';
import { z } from 'zod';
// Loads every module of the service, so that every metric it defines is registered.
import '../../src/app.module.js';

const metricSchema = z.object({
  name: z.string(),
  help: z.string(),
  type: z.string(),
  labelNames: z.array(z.string()),
});
type Metric = z.output<typeof metricSchema>;

/** `docs/metrics.md`: every metric that the service defines; the process's own come from prom-client. */
export function metricsDoc(): string {
  const metrics = z.array(metricSchema).parse(register.getMetricsAsArray());
  const own = metrics.filter(({ name }) => name.startsWith('driftloop_'));
  return `${INTRODUCTION}\n${own.toSorted(byName).map(row).join('\n')}\n`;
}

const byName = (a: Metric, b: Metric) => (a.name < b.name ? -1 : 1);

function row({ name, type, labelNames, help }: Metric): string {
  return `| \`${name}\` | ${type} | ${unitOf(name)} | ${labelNames.map((label) => `\`${label}\``).join(', ')} | ${help} |`;
}

/** The last word of the name, as Prometheus wants it; what has none is a plain number or a count. */
function unitOf(name: string): string {
  if (name.endsWith('_ratio')) return '0 to 1';
  return /_(seconds|bytes|records)(_total)?$/.exec(name)?.[1] ?? (name.endsWith('_total') ? 'count' : '');
}

const INTRODUCTION = `# Metrics

Generated from the registry by \`npm run docs\`; do not edit.

\`/metrics\` on the management port (\`DRIFTLOOP_MANAGEMENT_PORT\`) shows these and prom-client's default metrics of the
process (\`process_…\`, \`nodejs_…\`). Counters, histograms and the gauges of partitions are of the process that is
scraped: sum them over instances. The other gauges are read from PostgreSQL at the scrape, at most every five seconds,
because the process that trained is gone by then; every instance shows the same ones, so take \`max\` over instances, and
while \`driftloop_database_up\` is 0 they are absent. Rewards and margins are natural-log units times beta.

| Name | Type | Unit | Labels | Meaning |
| --- | --- | --- | --- | --- |`;
