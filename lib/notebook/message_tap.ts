import { Buffer } from "node:buffer";
import { recordFields } from "../avro/mod.ts";
import { type ByteField, concatBytes, readUint32, systemRandom } from "../base/mod.ts";
import type { MessageBatch } from "../contract.ts";
import { frameFields, type OpenTransport } from "../pulsar/mod.ts";
import { openRunFolder, type ReadyLine } from "../run/mod.ts";
import { connectTarget, isEmbedded, type PulsarTarget, readManifest } from "../scenarios/mod.ts";
import { SENSOR_SCHEMA_JSON, type SensorRecord, sensorType } from "../sensor/mod.ts";
import { NotebookError } from "./errors.ts";

/** A run by its folder, as a `RunHandle` is one. */
export interface RunPath {
  readonly path: string;
}

/** One message of a run, as the bytes that a reader of its topic got from the broker. */
export interface TappedMessage {
  /** The frame as it came through the socket, its fields without the message's own. */
  readonly frame: { readonly bytes: Uint8Array; readonly fields: readonly ByteField[] };
  /** The message in it. */
  readonly avro: { readonly bytes: Uint8Array; readonly fields: readonly ByteField[] };
  /** Messages that share the frame, this one included. */
  readonly messageCount: number;
  /** The same as an object. */
  readonly record: SensorRecord;
}

/** What comes through a socket is kept up to here; the first entries of a run are far smaller. */
const RECORDED_BYTES_MAX = 16 * 1024 * 1024;
const FIRST_ENTRY_WITHIN_MS = 30_000;

interface SchemaField {
  readonly name: string;
  readonly type: unknown;
}

const TIMESTAMPS = new Set(
  (JSON.parse(SENSOR_SCHEMA_JSON) as { fields: SchemaField[] }).fields
    .filter(({ type }) =>
      (type as { logicalType?: string } | null)?.logicalType === "timestamp-millis"
    )
    .map(({ name }) => name),
);

class Recorder {
  readonly #parts: Uint8Array[] = [];
  #byteCount = 0;

  /** Opens as `inner` does, and keeps what is read. */
  through(inner: OpenTransport): OpenTransport {
    return async (address) => {
      const transport = await inner(address);
      return {
        read: async (target) => {
          const count = await transport.read(target);
          if (count !== null) this.#keep(target.slice(0, count));
          return count;
        },
        write: (bytes) => transport.write(bytes),
        close: () => transport.close(),
      };
    };
  }

  #keep(bytes: Uint8Array): void {
    if (this.#byteCount > RECORDED_BYTES_MAX) return;
    this.#byteCount += bytes.length;
    this.#parts.push(bytes);
  }

  /** The first whole frame that holds messages. */
  firstWithMessages(): Uint8Array | undefined {
    const bytes = concatBytes(this.#parts);
    for (let at = 0; at + 8 <= bytes.length;) {
      const end = at + 4 + readUint32(bytes, at);
      if (end > bytes.length) return undefined;
      const frame = bytes.subarray(at, end);
      if (frameFields(frame).messages.length > 0) return frame;
      at = end;
    }
    return undefined;
  }
}

/** Where the broker of a run answers, and how the run got in: its token, and whom it trusts. */
async function targetOf(path: string): Promise<{ topic: string; target: PulsarTarget }> {
  const folder = await openRunFolder(path);
  const { config } = await readManifest(folder);
  const { pulsar, topic } = config;
  if (!isEmbedded(pulsar.serviceUrl)) return { topic, target: pulsar };
  const roles: Record<string, ReadyLine> = JSON.parse(
    await Deno.readTextFile(folder.file("roles.json")),
  );
  const url = roles["broker"]?.url;
  if (url !== undefined) return { topic, target: { ...pulsar, serviceUrl: url } };
  throw new NotebookError(`Cannot read the topic of run ${folder.id}: it has no broker`, {
    code: "not_started",
  });
}

/** What {@link readTopic} needs. */
export interface ReadTopicOptions {
  /** Gets to see what goes through the connections. */
  readonly recorder?: { through(inner: OpenTransport): OpenTransport };
  /** Gets each batch; its bytes are valid until the call returns. */
  readonly batch: (batch: MessageBatch) => void;
  readonly signal: AbortSignal;
}

/**
 * Reads the topic of a run beside its aggregators, from its first message on, under a subscription of its own.
 *
 * @throws {PulsarError} when the run's broker does not answer, e.g. because the run is over
 */
export async function readTopic(run: RunPath, options: ReadTopicOptions): Promise<void> {
  const { topic, target } = await targetOf(run.path);
  const { recorder, batch, signal } = options;
  await using client = await connectTarget(target, recorder);
  await using source = await client.openSource({
    topic,
    subscription: `notebook-${systemRandom.uint32().toString(16)}`,
    subscriptionType: "exclusive",
    signal,
  });
  await source.run({
    activated: () => Promise.resolve(undefined),
    deactivated: () => {},
    batch,
  }, signal);
}

/**
 * Catches one message of a run that goes on, byte for byte as the broker hands it to a reader.
 *
 * @throws {NotebookError} `not_started` when no message comes
 * @throws {PulsarError} when the run's broker does not answer
 *
 * @example
 * ```ts ignore
 * const message = await weir.tapMessage(run);
 * await weir.show(weir.bytesPicture({ title: "A frame", ...message.frame }));
 * ```
 */
export async function tapMessage(run: RunPath): Promise<TappedMessage> {
  const recorder = new Recorder();
  const done = new AbortController();
  const signal = AbortSignal.any([done.signal, AbortSignal.timeout(FIRST_ENTRY_WITHIN_MS)]);
  let frame: Uint8Array | undefined;
  await readTopic(run, {
    recorder,
    batch: () => {
      frame = recorder.firstWithMessages();
      if (frame !== undefined) done.abort();
    },
    signal,
  });
  if (frame !== undefined) return describe(frame);
  throw new NotebookError("Cannot catch a message: none came through the topic", {
    code: "not_started",
    cure: "start a run that lasts some seconds, and catch one while it goes on",
  });
}

function describe(bytes: Uint8Array): TappedMessage {
  const { fields, messages } = frameFields(bytes);
  const [start, end] = messages[0]!;
  const message = bytes.slice(start, end);
  return {
    frame: { bytes, fields },
    avro: { bytes: message, fields: recordFields(sensorType, message).map(withTime) },
    messageCount: messages.length,
    record: sensorType.fromBuffer(Buffer.from(message)) as SensorRecord,
  };
}

/** avsc forgets which longs are instants. */
function withTime(field: ByteField): ByteField {
  if (!TIMESTAMPS.has(field.name)) return field;
  const text = new Date(Number(field.text)).toISOString();
  return { ...field, type: "long (timestamp-millis)", text };
}

/**
 * The bytes of a field, in hexadecimal.
 *
 * @throws {RangeError} when there is no such field
 */
export function hexOfField(
  { bytes, fields }: { readonly bytes: Uint8Array; readonly fields: readonly ByteField[] },
  name: string,
): string {
  const field = fields.find((one) => one.name === name);
  if (field === undefined) throw new RangeError(`Cannot find field ${JSON.stringify(name)}`);
  return bytes.subarray(field.start, field.end).toHex();
}
