import { z } from 'zod';
import { LAST_TIME_MS, parseAs } from './format.js';

const keyValueSchema = z.object({ key: z.string(), value: z.unknown() });
const attributesSchema = z.array(keyValueSchema).nullish();
const nanosSchema = z.union([z.string().regex(/^\d{1,20}$/), z.number().nonnegative()]).nullish();

/** Logs in OTLP's JSON encoding, as the OpenTelemetry Collector writes them to Kafka (`otlp_json`). */
export const otlpLogsSchema = z.looseObject({
  resourceLogs: z.array(
    z.looseObject({
      resource: z.looseObject({ attributes: attributesSchema }).nullish(),
      scopeLogs: z.array(
        z.looseObject({
          logRecords: z.array(
            z.looseObject({
              timeUnixNano: nanosSchema,
              observedTimeUnixNano: nanosSchema,
              attributes: attributesSchema,
              body: z.unknown().optional(),
            }),
          ),
        }),
      ),
    }),
  ),
});

export interface OtlpEvent {
  /** Of the resource and of the log record; what the body has as a map, too. */
  attributes: Record<string, unknown>;
  /** RFC 3339. */
  time?: string;
}

/** @throws RecordRejection `invalid` */
export function readOtlpLogs(value: unknown): OtlpEvent[] {
  const { resourceLogs } = parseAs(otlpLogsSchema, value);
  return resourceLogs.flatMap(({ resource, scopeLogs }) => {
    const common = mapOf(resource?.attributes);
    return scopeLogs.flatMap(({ logRecords }) =>
      logRecords.map(({ attributes, body, timeUnixNano, observedTimeUnixNano }) => ({
        attributes: { ...common, ...Object(anyValue(body)), ...mapOf(attributes) },
        time: timeOf(timeUnixNano) ?? timeOf(observedTimeUnixNano),
      })),
    );
  });
}

function timeOf(nanos: string | number | null | undefined): string | undefined {
  const milliseconds = Math.trunc(Number(nanos ?? 0) / 1_000_000);
  return milliseconds > 0 && milliseconds <= LAST_TIME_MS ? new Date(milliseconds).toISOString() : undefined;
}

function mapOf(attributes: z.output<typeof attributesSchema>): Record<string, unknown> {
  return Object.fromEntries((attributes ?? []).map(({ key, value }) => [key, anyValue(value)]));
}

const anyValueSchema = z.object({
  stringValue: z.string().optional(),
  boolValue: z.boolean().optional(),
  intValue: z.union([z.string(), z.number()]).optional(),
  doubleValue: z.union([z.string(), z.number()]).optional(),
  bytesValue: z.string().optional(),
  arrayValue: z.object({ values: z.array(z.unknown()).optional() }).optional(),
  kvlistValue: z.object({ values: z.array(keyValueSchema).optional() }).optional(),
});

/** OTLP's AnyValue as the plain value it stands for. */
function anyValue(value: unknown): unknown {
  const parsed = anyValueSchema.safeParse(value);
  if (!parsed.success) return undefined;
  const { arrayValue, kvlistValue, intValue, ...scalar } = parsed.data;
  if (arrayValue) return (arrayValue.values ?? []).map(anyValue);
  if (kvlistValue) return mapOf(kvlistValue.values);
  // A larger one is an id, and would be another one as a number.
  if (intValue !== undefined) return Number.isSafeInteger(Number(intValue)) ? Number(intValue) : String(intValue);
  return Object.values(scalar).find((given) => given !== undefined);
}
