import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Cron } from 'croner';
import { CORE_SCHEMA, loadAll, mergeTag } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createProgram } from '../../src/cli/program.js';
import { configSchema, loadConfig } from '../../src/config/config.js';

// What the schemas of Kubernetes let through and its API server or the service would refuse.

const quantities = z.record(z.string(), z.union([z.string(), z.number()]));
const container = z.object({
  name: z.string(),
  image: z.string(),
  args: z.array(z.string()),
  ports: z.array(z.object({ name: z.string(), containerPort: z.number() })).default([]),
  resources: z.object({ requests: quantities, limits: quantities }),
  volumeMounts: z.array(z.object({ name: z.string() })).default([]),
  securityContext: z.object({ readOnlyRootFilesystem: z.literal(true), allowPrivilegeEscalation: z.literal(false) }),
});
const pod = z.object({
  metadata: z.object({ labels: z.record(z.string(), z.string()) }),
  spec: z.object({
    restartPolicy: z.string().optional(),
    terminationGracePeriodSeconds: z.number().optional(),
    securityContext: z.object({ runAsNonRoot: z.literal(true), runAsUser: z.number().min(1) }),
    containers: z.array(container),
    volumes: z.array(z.object({ name: z.string() })).default([]),
  }),
});
const manifest = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('Deployment'),
    spec: z.object({ selector: z.object({ matchLabels: z.record(z.string(), z.string()) }), template: pod }),
  }),
  z.object({ kind: z.literal('Job'), spec: z.object({ template: pod }) }),
  z.object({
    kind: z.literal('CronJob'),
    spec: z.object({
      schedule: z.string(),
      concurrencyPolicy: z.string(),
      jobTemplate: z.object({ spec: z.object({ template: pod }) }),
    }),
  }),
  z.object({
    kind: z.literal('Service'),
    spec: z.object({
      selector: z.record(z.string(), z.string()),
      ports: z.array(z.object({ port: z.number(), targetPort: z.string() })),
    }),
  }),
  z.object({ kind: z.literal('ConfigMap'), data: z.record(z.string(), z.string()) }),
  z.object({ kind: z.literal('Secret'), stringData: z.record(z.string(), z.string()) }),
  z.object({ kind: z.literal('PersistentVolumeClaim') }),
  z.object({ kind: z.literal('Namespace') }),
]);

function documentsOf(file: string): unknown[] {
  return loadAll(readFileSync(file, 'utf8'), { schema: CORE_SCHEMA.withTags(mergeTag) });
}

const kustomization = z.object({ resources: z.array(z.string()) }).parse(documentsOf('k8s/base/kustomization.yaml')[0]);
const files = [...kustomization.resources.map((file) => join('k8s/base', file)), 'k8s/secret.example.yaml'];
const manifests = files.flatMap((file) => documentsOf(file).map((document) => manifest.parse(document)));
const only = <K extends z.output<typeof manifest>['kind']>(kind: K) =>
  manifests.filter((item): item is Extract<z.output<typeof manifest>, { kind: K }> => item.kind === kind);

const deployments = only('Deployment').map(({ spec }) => spec.template);
const jobs = [
  ...only('Job').map(({ spec }) => spec.template),
  ...only('CronJob').map(({ spec }) => spec.jobTemplate.spec.template),
];
const containers = [...deployments, ...jobs].flatMap(({ spec }) => spec.containers);
const environment = [
  ...only('ConfigMap').map(({ data }) => data),
  ...only('Secret').map(({ stringData }) => stringData),
];

const SUFFIX: Record<string, number> = { '': 1, m: 1e-3, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 };

function amount(quantity: string | number): number {
  const [, digits, suffix = ''] = /^([\d.]+)([A-Za-z]*)$/.exec(String(quantity)) ?? [];
  return Number(digits) * (SUFFIX[suffix] ?? Number.NaN);
}

async function commandOf(args: string[]) {
  const program = await createProgram();
  return program.commands.find((command) => command.name() === args[0]);
}

describe('the Kubernetes manifests', () => {
  it('are all in the kustomization', () => {
    const present = readdirSync('k8s/base').filter((file) => file !== 'kustomization.yaml');
    expect(kustomization.resources.toSorted()).toEqual(present.toSorted());
  });

  it('select the pods that they make', () => {
    for (const { spec } of only('Deployment'))
      expect(spec.template.metadata.labels).toMatchObject(spec.selector.matchLabels);
    for (const { spec } of only('Service')) {
      const selected = deployments.filter(({ metadata }) =>
        Object.entries(spec.selector).every(([label, value]) => metadata.labels[label] === value),
      );
      expect(selected).toHaveLength(1);
      const ports = selected.flatMap((template) => template.spec.containers.flatMap((item) => item.ports));
      for (const { targetPort } of spec.ports) expect(ports.map(({ name }) => name)).toContain(targetPort);
    }
  });

  it('restart jobs as jobs may be restarted, and schedule one training run at a time', () => {
    for (const { spec } of jobs) expect(['Never', 'OnFailure']).toContain(spec.restartPolicy);
    for (const { spec } of only('CronJob')) {
      expect(new Cron(spec.schedule, { mode: '5-part', paused: true }).nextRun()).toBeInstanceOf(Date);
      expect(spec.concurrencyPolicy).toBe('Forbid');
    }
  });

  it('request no more than their limits, and mount only volumes that there are', () => {
    for (const { requests, limits } of containers.map(({ resources }) => resources)) {
      for (const [name, requested] of Object.entries(requests)) {
        expect(amount(requested)).toBeGreaterThan(0);
        expect(amount(requested)).toBeLessThanOrEqual(
          name in limits ? amount(limits[name]!) : Number.POSITIVE_INFINITY,
        );
      }
    }
    for (const { spec } of [...deployments, ...jobs]) {
      const volumes = spec.volumes.map(({ name }) => name);
      for (const { volumeMounts } of spec.containers)
        for (const { name } of volumeMounts) expect(volumes).toContain(name);
    }
  });

  it('run commands and options that the CLI has', async () => {
    for (const { args } of containers) {
      const command = await commandOf(args);
      expect(command, args.join(' ')).toBeDefined();
      const options = command!.options.map(({ long }) => long);
      for (const option of args.slice(1)) expect(options).toContain(option);
    }
  });

  it('set keys of the configuration to values that it takes', () => {
    const keys = environment.flatMap((data) => Object.keys(data));
    for (const key of keys) expect(Object.keys(configSchema.shape)).toContain(key);
    const config = loadConfig(Object.assign({}, ...environment));
    const ports = deployments.flatMap(({ spec }) => spec.containers.flatMap((item) => item.ports));
    expect(ports.map(({ containerPort }) => containerPort)).toEqual([config.apiPort, config.managementPort]);
    for (const { spec } of deployments) {
      expect(spec.terminationGracePeriodSeconds! * 1_000).toBeGreaterThan(config.shutdownGraceMs);
    }
  });
});

const service = z.object({
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.union([z.string(), z.number()])).default({}),
  build: z.object({ dockerfile: z.string() }).optional(),
  depends_on: z.union([z.array(z.string()), z.record(z.string(), z.unknown())]).optional(),
  volumes: z.array(z.string()).default([]),
});
const compose = z
  .object({ services: z.record(z.string(), service), volumes: z.record(z.string(), z.unknown()) })
  .parse(documentsOf('deploy/compose.yaml')[0]);

describe('the compose file', () => {
  const own = Object.values(compose.services).filter(({ build }) => build !== undefined);

  it('runs commands of the CLI with a configuration that it takes', async () => {
    expect(own).not.toHaveLength(0);
    for (const { command, environment } of own) {
      expect(await commandOf(command!)).toBeDefined();
      for (const key of Object.keys(environment)) expect(Object.keys(configSchema.shape)).toContain(key);
      expect(() => loadConfig(environment as Record<string, string>)).not.toThrow();
    }
  });

  it('names services and volumes that there are', () => {
    for (const { depends_on = {}, volumes } of Object.values(compose.services)) {
      const needed = Array.isArray(depends_on) ? depends_on : Object.keys(depends_on);
      for (const name of needed) expect(Object.keys(compose.services)).toContain(name);
      const named = volumes.map((volume) => volume.split(':')[0]!).filter((source) => !source.startsWith('.'));
      for (const name of named) expect(Object.keys(compose.volumes)).toContain(name);
    }
  });
});

describe('the Grafana dashboard', () => {
  it('asks for metrics that the service has', () => {
    const metrics = readFileSync('docs/metrics.md', 'utf8');
    const expressions = [
      ...readFileSync('deploy/grafana/dashboards/driftloop.json', 'utf8').matchAll(/"expr": "(.*)"/g),
    ];
    const asked = expressions.flatMap(([, expression]) => expression?.match(/driftloop_\w+/g) ?? []);
    expect(asked).not.toHaveLength(0);
    for (const name of asked) expect(metrics).toContain(`\`${name}\``);
  });
});
