/** Topics on a simulated disk, and producers that write them by hand. */
import { crc32cPortable, FakeClock, seededRandom, utf8 } from "../../../lib/base/mod.ts";
import type { ClientLink } from "../../../lib/pulsar/broker/dispatch/link.ts";
import { BrokerError } from "../../../lib/pulsar/broker/errors.ts";
import type { Durability } from "../../../lib/pulsar/broker/log/durability.ts";
import { DEFAULT_POLICIES } from "../../../lib/pulsar/broker/policies/topic_policies.ts";
import type { TopicPolicies } from "../../../lib/pulsar/broker/policies/topic_policies.ts";
import { Producer } from "../../../lib/pulsar/broker/producer.ts";
import type { SequenceIds } from "../../../lib/pulsar/broker/producer.ts";
import { Topic } from "../../../lib/pulsar/broker/topic.ts";
import { parseTopicName } from "../../../lib/pulsar/broker/topic_name.ts";
import {
  closePayload,
  encodeMessage,
  MESSAGE_METADATA,
  ProtoWriter,
} from "../../../lib/pulsar/wire/mod.ts";
import type { MessageMetadata } from "../../../lib/pulsar/wire/mod.ts";
import { FOLDER, sharedOn } from "./_log.ts";
import { SimDisk } from "./_sim_disk.ts";

const NAME = parseTopicName("persistent://public/default/t");

/** A topic whose disk and clock the test has in its hand. */
export interface TopicScene {
  readonly topic: Topic;
  readonly disk: SimDisk;
  readonly clock: FakeClock;
  readonly lines: string[];
}

/** Opens the topic on a disk, as a broker that starts there does. */
export async function openTopicOn(
  disk: SimDisk = new SimDisk(seededRandom(1)),
  { durability = "os", policies = {} }: {
    readonly durability?: Durability;
    readonly policies?: Partial<TopicPolicies>;
  } = {},
): Promise<TopicScene> {
  const clock = new FakeClock(1_000_000);
  const lines: string[] = [];
  const shared = { ...await sharedOn(disk, durability), clock };
  const topic = await Topic.open(NAME, {
    folder: FOLDER,
    context: { shared, clock, failoverDelayMs: 0, report: (line) => lines.push(line) },
    policies: () => ({ ...DEFAULT_POLICIES, ...policies }),
    wantHousekeeping: () => {},
  });
  return { topic, disk, clock, lines };
}

/** A link to nobody. */
export const NO_LINK = {
  dropProducer: () => {},
  dropConsumer: () => {},
  isAlive: () => Promise.resolve(true),
} as unknown as ClientLink;

/** A producer and what it was answered. */
export class HandProducer {
  /** Of receipts: the first sequence id, and whether the entry was stored for it. */
  readonly receipts: (readonly [sequenceId: number, isStored: boolean])[] = [];
  readonly errors: (readonly [sequenceId: number, code: string])[] = [];
  readonly producer: Producer;

  constructor(readonly topic: Topic, readonly name = "p") {
    this.producer = new Producer(topic, {
      receipt: (_, { first }, ledgerId) => this.receipts.push([first, ledgerId >= 0]),
      sendError: (_, sequenceId, error) =>
        this.errors.push([sequenceId, error instanceof BrokerError ? error.code : String(error)]),
    }, {
      link: NO_LINK,
      producerId: 0,
      name,
      epoch: 0,
      access: "Shared",
      schemaVersion: undefined,
      metadata: {},
      connectedSinceMs: 0,
      known: topic.knownProducer(name),
    });
  }

  /** Sends an entry; the flush that follows has it written. */
  send(
    sequenceId: number,
    { highest = -1, isPart = false, payload = "x", metadata = {}, publishTimeMs = 1_000 }: {
      readonly highest?: number;
      readonly isPart?: boolean;
      readonly payload?: string;
      readonly metadata?: Partial<MessageMetadata>;
      readonly publishTimeMs?: number;
    } = {},
  ): void {
    const writer = new ProtoWriter();
    const content = utf8(payload);
    writer.raw(content);
    encodeMessage(MESSAGE_METADATA, {
      producerName: this.name,
      sequenceId,
      publishTime: publishTimeMs,
      ...(highest < 0
        ? {}
        : { highestSequenceId: highest, numMessagesInBatch: highest - sequenceId + 1 }),
      ...metadata,
    }, writer);
    closePayload(writer, content.length, crc32cPortable);
    const bytes = writer.finish();
    const ids: SequenceIds = { first: sequenceId, highest, isPart };
    const entry = { bytes, start: 0, end: bytes.length, messageCount: 1, publishTimeMs };
    this.producer.publish(entry, ids);
  }
}
