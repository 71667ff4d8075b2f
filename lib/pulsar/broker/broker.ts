import type { Clock, Crc32c, Disk, Random } from "../../base/mod.ts";
import { lineOf } from "../../base/mod.ts";
import type { Authenticator } from "./authentication.ts";
import { Catalog } from "./catalog.ts";
import { BrokerError, topicNotFound } from "./errors.ts";
import { expireByPolicy } from "./expiry.ts";
import { InactiveTopics } from "./inactive_topics.ts";
import { LedgerIds, OpenFiles, SlabPool, SpareFiles, TailBudget } from "./log/mod.ts";
import { effectivePolicies } from "./policies/mod.ts";
import type { Durability, LogShared } from "./log/mod.ts";
import { SchemaRegistry } from "./schema/mod.ts";
import type { Compatibility } from "./schema/mod.ts";
import { NonPersistentTopic } from "./non_persistent_topic.ts";
import { sampleRates } from "./rates.ts";
import { Topic } from "./topic.ts";
import type { TopicPolicies } from "./policies/mod.ts";
import type { TopicName } from "./topic_name.ts";

/** What a broker does with its connections. */
export interface ClientConnection {
  /** Once a second. */
  checkAlive(): void;
  /** Sends away producers and consumers whose role has lost its right. */
  recheckRights(): void;
  /** Closes after everything was written. */
  end(): Promise<void>;
}

/** What a broker is made of. */
export interface BrokerParts {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly crc32c: Crc32c;
  readonly random: Random;
  /** The data folder. */
  readonly folder: string;
  readonly durability: Durability;
  /** A segment that is larger is sealed, and the next one begun. */
  readonly segmentBytesMax: number;
  /** Memory for the ends of all logs together. */
  readonly tailBytesMax: number;
  /** What topics keep and refuse where their namespace does not say. */
  readonly policies: TopicPolicies;
  readonly schemaCompatibility: Compatibility;
  readonly failoverDelayMs: number;
  /** Finds out who clients are; undefined lets everyone in, to do everything. */
  readonly authenticator: Authenticator | undefined;
  /** Nobody is asked who he is, and everybody may do everything. */
  readonly isOpen: boolean;
  /** Clients at a time. */
  readonly connectionsMax: number;
  /** Roles that may do everything. */
  readonly superusers: ReadonlySet<string>;
  /** `weir-embedded-1.2.3` */
  readonly systemName: string;
  /** For the operator, one line. */
  readonly report: (line: string) => void;
}

/** Cursors are written and segments removed this long after it was first wanted. */
const HOUSEKEEPING_DELAY_MS = 100;
const TICK_MS = 1000;
/** Open files of all logs together; systems let a process have from 1024 on. */
const OPEN_FILES_MAX = 500;
/** Ticks between closing files that only readers need. */
const IDLE_TICKS = 60;

/** All that the connections of one broker share: catalog, schemas, open topics. */
export class Broker {
  readonly connections = new Set<ClientConnection>();
  /** Topics that are open, by full name. */
  readonly topics = new Map<string, Topic>();
  /** Topics without a log that somebody uses, or used a moment ago, by full name. */
  readonly nonPersistentTopics = new Map<string, NonPersistentTopic>();
  connectionsCreated = 0;
  connectionsRefused = 0;
  /** Where clients find this broker over TLS, if it speaks it. */
  tlsUrl: string | undefined;
  #opening = new Map<string, Promise<Topic>>();
  /** By name without partition; asked for once a second and more. */
  readonly #policies = new Map<string, TopicPolicies>();
  readonly #instance: number;
  #producersNamed = 0;
  #housekeepingFor = new Set<Topic>();
  #isHousekeeping = false;
  #ticks = 0;
  readonly #inactive = new InactiveTopics();
  #stopTicking = () => {};
  isClosed = false;

  private constructor(
    readonly parts: BrokerParts,
    readonly shared: LogShared,
    readonly catalog: Catalog,
    readonly schemas: SchemaRegistry,
  ) {
    this.#instance = shared.ledgerIds.next();
    catalog.onPolicies = () => {
      this.#policies.clear();
      if (parts.isOpen) return;
      for (const connection of this.connections) connection.recheckRights();
    };
  }

  /**
   * Opens the data folder, which no other broker may have open.
   *
   * @throws {BrokerError} `damaged`, `disk_full`, `disk_error`
   */
  static async open(parts: BrokerParts): Promise<Broker> {
    const { disk, clock, crc32c, folder, durability, segmentBytesMax } = parts;
    disk.makeFolder(folder);
    const shared: LogShared = {
      disk,
      clock,
      crc32c,
      durability,
      segmentBytesMax,
      ledgerIds: await LedgerIds.open(disk, folder),
      random: parts.random,
      spares: new SpareFiles(disk, `${folder}/spare`, { segmentBytesMax, durability }),
      pool: new SlabPool(),
      tails: new TailBudget(parts.tailBytesMax),
      openFiles: new OpenFiles(OPEN_FILES_MAX),
    };
    const place = { disk, crc32c, durability, folder };
    const schemas = new SchemaRegistry(place, () => Math.floor(clock.wallMs()));
    const broker = new Broker(parts, shared, new Catalog(place), schemas);
    broker.#stopTicking = clock.every(TICK_MS, () => broker.#tick());
    return broker;
  }

  /** A name for a producer that gave none; no broker on this folder gives it twice. */
  nextProducerName(): string {
    return `standalone-${this.#instance}-${this.#producersNamed++}`;
  }

  /** What a topic keeps and refuses: the broker's policies, its namespace's, its own, the later ones first. */
  policies({ namespace, base }: TopicName): TopicPolicies {
    let policies = this.#policies.get(base);
    if (policies === undefined) {
      const { stored: _, ...ofNamespace } = this.catalog.policies(namespace) ?? {};
      const own = effectivePolicies(this.catalog.topicPolicies(base));
      policies = { ...this.parts.policies, ...ofNamespace, ...own };
      this.#policies.set(base, policies);
    }
    return policies;
  }

  /** Which schema changes a namespace allows. */
  compatibility(namespace: string): Compatibility {
    const own = this.catalog.policies(namespace)?.schemaCompatibility;
    return (own as Compatibility | undefined) ?? this.parts.schemaCompatibility;
  }

  /**
   * Whether a topic may be used: its namespace is there, and a partition is one of those its topic has.
   *
   * @throws {BrokerError} `topic_not_found`
   */
  assertUsable(name: TopicName): void {
    this.catalog.assertNamespace(name.namespace);
    const partitions = this.catalog.partitionsOf(name.base);
    if (name.partition >= 0 && partitions > 0 && name.partition >= partitions) {
      throw new BrokerError(
        `Topic ${name.full} not found: its topic has ${partitions} partitions`,
        {
          code: "topic_not_found",
        },
      );
    }
  }

  /**
   * An open topic, created where there is none unless told otherwise.
   *
   * @throws {BrokerError} `topic_not_found`, `not_supported`, `damaged`, `disk_full`, `disk_error`
   */
  topic(name: TopicName, { create = true } = {}): Promise<Topic> {
    this.assertUsable(name);
    assertKind(name, true);
    if (this.isClosed) throw new BrokerError("The broker is closing", { code: "closed" });
    const opening = this.#opening.get(name.full);
    if (opening !== undefined) return opening;
    if (!create && !this.catalog.has(name.full)) {
      throw topicNotFound(name.full);
    }
    const opened = this.#open(name).catch((error) => {
      this.#opening.delete(name.full);
      this.parts.report(`${name.full}: ${lineOf(error)}`);
      throw error;
    });
    this.#opening.set(name.full, opened);
    return opened;
  }

  /**
   * A topic without a log, made where there is none.
   *
   * @throws {BrokerError} `topic_not_found`, `invalid_topic`, `closed`
   */
  nonPersistentTopic(name: TopicName, { create = true } = {}): NonPersistentTopic {
    this.assertUsable(name);
    assertKind(name, false);
    if (this.isClosed) throw new BrokerError("The broker is closing", { code: "closed" });
    let topic = this.nonPersistentTopics.get(name.full);
    if (topic !== undefined) return topic;
    if (!create) {
      throw topicNotFound(name.full);
    }
    topic = new NonPersistentTopic(name, () => this.policies(name));
    this.nonPersistentTopics.set(name.full, topic);
    return topic;
  }

  /** Full names of a namespace's topics without a log that are in use. */
  nonPersistentNames(namespace: string): string[] {
    return [...this.nonPersistentTopics.values()]
      .filter(({ name }) => name.namespace === namespace).map(({ name }) => name.full).sort();
  }

  async #open(name: TopicName): Promise<Topic> {
    const { clock, failoverDelayMs, report } = this.parts;
    const topic = await Topic.open(name, {
      folder: this.catalog.topicFolder(name),
      context: { shared: this.shared, clock, failoverDelayMs, report },
      policies: () => this.policies(name),
      wantHousekeeping: (wanting) => this.#wantHousekeeping(wanting),
    });
    this.catalog.add(name);
    this.topics.set(name.full, topic);
    return topic;
  }

  /** Closes a topic; the next use opens it again. */
  async unload(name: TopicName): Promise<void> {
    this.nonPersistentTopics.get(name.full)?.close();
    this.nonPersistentTopics.delete(name.full);
    const topic = await this.#opening.get(name.full)?.catch(() => undefined);
    if (topic === undefined) return;
    await topic.close();
    this.#opening.delete(name.full);
    this.topics.delete(name.full);
    this.#housekeepingFor.delete(topic);
  }

  /** Unloads all topics of a namespace, which go on as soon as their clients come again. */
  async unloadNamespace(namespace: string): Promise<void> {
    const open = [...this.topics.values(), ...this.nonPersistentTopics.values()];
    const wanted = open.filter(({ name }) => name.namespace === namespace);
    await Promise.all(wanted.map(({ name }) => this.unload(name)));
  }

  /**
   * Removes a topic and its data.
   *
   * @throws {BrokerError} `topic_not_found`, `unsubscribe_busy` when someone is connected and `isForced` is not set
   */
  async deleteTopic(name: TopicName, isForced: boolean): Promise<void> {
    if (!this.catalog.has(name.full)) {
      throw topicNotFound(name.full);
    }
    const topic = this.topics.get(name.full);
    const consumers = [...topic?.subscriptions.values() ?? []].some((one) =>
      one.consumers.length > 0
    );
    if (!isForced && ((topic?.producers.size ?? 0) > 0 || consumers)) {
      throw new BrokerError("Topic has active producers/subscriptions", {
        code: "unsubscribe_busy",
      });
    }
    await this.unload(name);
    this.#policies.delete(name.base);
    await this.catalog.remove(name);
    if (name.partition < 0) await this.schemas.remove(name);
  }

  async #deleteInactive({ name }: Topic): Promise<void> {
    try {
      await this.deleteTopic(name, false);
      if (name.partition < 0) await this.catalog.putTopicPolicies(name.base, {});
      this.parts.report(`${name.full}: deleted, nobody used it`);
    } catch (error) {
      // Somebody was faster.
      this.parts.report(`${name.full}: ${lineOf(error)}`);
    }
  }

  #wantHousekeeping(topic: Topic): void {
    this.#housekeepingFor.add(topic);
    if (this.#isHousekeeping) return;
    this.#isHousekeeping = true;
    this.parts.clock.sleep(HOUSEKEEPING_DELAY_MS).then(() => this.#housekeep());
  }

  async #housekeep(): Promise<void> {
    const topics = [...this.#housekeepingFor];
    this.#housekeepingFor.clear();
    this.#isHousekeeping = false;
    for (const topic of topics) {
      if (topic.isClosed) continue;
      try {
        await topic.housekeep();
      } catch (error) {
        this.parts.report(`${topic.name.full}: ${lineOf(error)}`);
        this.#housekeepingFor.add(topic);
      }
    }
  }

  #tick(): void {
    this.#ticks++;
    for (const connection of this.connections) connection.checkAlive();
    const nowUs = this.parts.clock.monoUs();
    const nowMs = this.parts.clock.wallMs();
    for (const topic of this.topics.values()) {
      topic.tick();
      sampleRates(topic, { nowUs, nowMs });
      expireByPolicy(topic, nowMs);
      if (this.#ticks % IDLE_TICKS === 0) topic.closeIdle();
      if (this.#inactive.isOver(topic, nowUs)) void this.#deleteInactive(topic);
    }
    for (const [full, topic] of this.nonPersistentTopics) {
      sampleRates(topic, { nowUs, nowMs });
      if (topic.tick()) this.nonPersistentTopics.delete(full);
    }
    // What failed is tried again.
    if (this.#housekeepingFor.size > 0 && !this.#isHousekeeping) void this.#housekeep();
  }

  /** Closes connections and topics, writing what must survive. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#stopTicking();
    const closing = await Promise.allSettled(this.#opening.values());
    for (const result of closing) {
      if (result.status === "fulfilled") await result.value.close();
    }
    for (const topic of this.nonPersistentTopics.values()) topic.close();
    for (const connection of [...this.connections]) await connection.end();
    await this.shared.spares.close();
    await this.shared.ledgerIds.close();
  }
}

function assertKind(name: TopicName, isPersistent: boolean): void {
  if (name.isPersistent === isPersistent) return;
  throw new BrokerError(
    `Cannot use ${name.full}: a ${isPersistent ? "persistent" : "non-persistent"} topic is wanted`,
    { code: "invalid_topic" },
  );
}
