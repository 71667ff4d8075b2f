import { readDocument, removeDocument, removeLogFolder, writeDocument } from "./log/mod.ts";
import type { DocumentPlace } from "./log/mod.ts";
import { BrokerError, diskError } from "./errors.ts";
import { effectivePolicies } from "./policies/mod.ts";
import type { StoredPolicies, TopicPolicies } from "./policies/mod.ts";
import {
  decodeName,
  encodeName,
  namespaceFolder,
  parseTopicName,
  partitionName,
  TOPIC_FILE,
} from "./topic_name.ts";
import type { TopicName } from "./topic_name.ts";
import type { TopicWatcher } from "./topic_watcher.ts";

/** What a namespace says differently from the broker. */
export type NamespacePolicies = { -readonly [Key in keyof TopicPolicies]?: TopicPolicies[Key] } & {
  schemaCompatibility?: string;
  /** As they were set; the others follow from these. */
  stored?: StoredPolicies;
};

/** Who may change a tenant's namespaces. */
export interface TenantInfo {
  readonly adminRoles: readonly string[];
  readonly allowedClusters: readonly string[];
}

interface NamespacesDocument {
  readonly tenants: Record<string, TenantInfo>;
  readonly namespaces: Record<string, NamespacePolicies>;
  /** What single topics have differently, by the name without partition. */
  readonly topicPolicies?: Record<string, StoredPolicies>;
}

/** Partitions that a topic may have; more would open as many logs. */
const PARTITIONS_MAX = 1024;
const NAMESPACES = "namespaces.json";
/** Where a Pulsar keeps topics of its own. Clients look there for a transaction coordinator, and must find that there is none. */
const INTERNAL_TENANT = "pulsar";
const INTERNAL_NAMESPACE = "pulsar/system";
const ONE_CLUSTER = { allowedClusters: ["standalone"], adminRoles: [] };

/** With a log, or without. */
export type Scheme = "persistent" | "non-persistent";

const SCHEMES: readonly Scheme[] = ["persistent", "non-persistent"];
/** Where the numbers of partitions are kept. */
const PARTITIONED_FOLDERS: Readonly<Record<Scheme, string>> = {
  "persistent": "partitioned",
  "non-persistent": "partitioned-non-persistent",
};

function partitionedFolder({ isPersistent, namespace }: TopicName): string {
  const scheme = isPersistent ? "persistent" : "non-persistent";
  return `${PARTITIONED_FOLDERS[scheme]}/${namespaceFolder(namespace)}`;
}

/** Which tenants, namespaces and topics there are. Kept on disk; read once, at start. */
export class Catalog {
  #document: NamespacesDocument = {
    tenants: { public: ONE_CLUSTER },
    namespaces: { "public/default": {} },
  };
  /** Full names of topics that have a log. */
  readonly #topics = new Set<string>();
  /** Full names of partitioned topics, and how many partitions each has. */
  readonly #partitioned = new Map<string, number>();
  /** Hear of topics that come and go. */
  readonly watchers = new Set<TopicWatcher>();
  readonly #topicPolicies = new Map<string, StoredPolicies>();
  #saving: Promise<void> = Promise.resolve();
  /** Called when any policy was changed. */
  onPolicies: () => void = () => {};

  constructor(private readonly place: Omit<DocumentPlace, "name">) {
    const stored = readDocument<NamespacesDocument>(this.#documentPlace("", NAMESPACES)) ??
      this.#document;
    this.#document = {
      ...stored,
      tenants: { [INTERNAL_TENANT]: ONE_CLUSTER, ...stored.tenants },
      namespaces: { [INTERNAL_NAMESPACE]: {}, ...stored.namespaces },
    };
    for (const [base, stored] of Object.entries(this.#document.topicPolicies ?? {})) {
      this.#topicPolicies.set(base, stored);
    }
    for (const namespace of this.namespaces()) this.#readNamespace(namespace);
  }

  #documentPlace(folder: string, name: string): DocumentPlace {
    const { place } = this;
    return { ...place, folder: folder === "" ? place.folder : `${place.folder}/${folder}`, name };
  }

  #readNamespace(namespace: string): void {
    const { disk, folder } = this.place;
    const topics = `topics/${namespaceFolder(namespace)}`;
    for (const file of disk.list(`${folder}/${topics}`)) {
      const local = decodeName(file);
      const full = local === undefined
        ? this.#nameOf(`${topics}/${file}`, TOPIC_FILE)
        : `persistent://${namespace}/${local}`;
      // One that died before its name was written has never taken a message.
      if (full !== undefined) this.#topics.add(full);
    }
    for (const scheme of SCHEMES) this.#readPartitioned(scheme, namespace);
  }

  /** The name that a file has inside, for names that are too long to be those of files. */
  #nameOf(folder: string, file: string): string | undefined {
    return readDocument<{ name: string }>(this.#documentPlace(folder, file))?.name;
  }

  #readPartitioned(scheme: Scheme, namespace: string): void {
    const { disk, folder } = this.place;
    const partitioned = `${PARTITIONED_FOLDERS[scheme]}/${namespaceFolder(namespace)}`;
    for (const file of disk.list(`${folder}/${partitioned}`)) {
      if (!file.endsWith(".json")) continue;
      const document = readDocument<{ partitions: number }>(this.#documentPlace(partitioned, file));
      const local = decodeName(file.slice(0, -".json".length));
      const base = local === undefined
        ? this.#nameOf(partitioned, file)!
        : `${scheme}://${namespace}/${local}`;
      this.#partitioned.set(base, document!.partitions);
    }
  }

  tenants(): string[] {
    return Object.keys(this.#document.tenants);
  }

  tenant(name: string): TenantInfo | undefined {
    return Object.hasOwn(this.#document.tenants, name) ? this.#document.tenants[name] : undefined;
  }

  namespaces(tenant?: string): string[] {
    return Object.keys(this.#document.namespaces)
      .filter((namespace) => tenant === undefined || namespace.startsWith(`${tenant}/`));
  }

  /** The policies of a namespace, or undefined where there is none. */
  policies(namespace: string): NamespacePolicies | undefined {
    const { namespaces } = this.#document;
    return Object.hasOwn(namespaces, namespace) ? namespaces[namespace] : undefined;
  }

  /** What a topic has differently from its namespace, by its name without partition. */
  topicPolicies(base: string): StoredPolicies {
    return this.#topicPolicies.get(base) ?? {};
  }

  /** Replaces what a topic has differently. */
  async putTopicPolicies(base: string, stored: StoredPolicies): Promise<void> {
    if (Object.keys(stored).length === 0) this.#topicPolicies.delete(base);
    else this.#topicPolicies.set(base, stored);
    await this.#save();
  }

  /** @throws {BrokerError} `topic_not_found` */
  assertNamespace(namespace: string): void {
    if (this.policies(namespace) !== undefined) return;
    throw new BrokerError("Namespace not found", {
      code: "topic_not_found",
      cure: `create the namespace ${JSON.stringify(namespace)} first`,
    });
  }

  /** One after the other: each write says everything, and the last one must be the one that stays. */
  #save(): Promise<void> {
    this.onPolicies();
    const write = () => {
      const topicPolicies = Object.fromEntries(this.#topicPolicies);
      const document = { ...this.#document, topicPolicies };
      return writeDocument(this.#documentPlace("", NAMESPACES), document);
    };
    const saved = this.#saving.then(write, write);
    this.#saving = saved.catch(() => {});
    return saved;
  }

  /** Creates a tenant or replaces what is known of it. */
  async putTenant(name: string, info?: TenantInfo): Promise<void> {
    this.#document.tenants[name] = info ?? { allowedClusters: ["standalone"], adminRoles: [] };
    await this.#save();
  }

  /** Replaces the policies of a namespace by what was set, and by what follows from it. */
  async putStored(namespace: string, stored: StoredPolicies): Promise<void> {
    const strategy = stored["schema_compatibility_strategy"];
    const isSet = typeof strategy === "string" && strategy !== "UNDEFINED";
    await this.putNamespace(namespace, {
      ...effectivePolicies(stored),
      ...(isSet ? { schemaCompatibility: strategy } : {}),
      stored,
    });
  }

  /** Creates a namespace or replaces its policies. */
  async putNamespace(namespace: string, policies: NamespacePolicies = {}): Promise<void> {
    const [tenant] = namespace.split("/");
    if (this.tenant(tenant!) === undefined) {
      throw new BrokerError("Tenant does not exist", { code: "topic_not_found" });
    }
    this.#document.namespaces[namespace] = policies;
    await this.#save();
  }

  async deleteNamespace(namespace: string): Promise<void> {
    const isUsed = this.topics(namespace).length > 0 || this.partitioned(namespace).length > 0;
    if (isUsed) throw new BrokerError("Cannot delete non empty namespace", { code: "conflict" });
    delete this.#document.namespaces[namespace];
    await this.#save();
  }

  async deleteTenant(name: string): Promise<void> {
    if (this.namespaces(name).length > 0) {
      throw new BrokerError("The tenant still has active namespaces", { code: "conflict" });
    }
    delete this.#document.tenants[name];
    await this.#save();
  }

  /** Full names of topics that have a log, partitions included. */
  topics(namespace: string): string[] {
    return [...this.#topics].filter((name) => name.startsWith(`persistent://${namespace}/`)).sort();
  }

  /** Full names of partitioned topics. */
  partitioned(namespace: string, scheme: Scheme = "persistent"): string[] {
    return [...this.#partitioned.keys()]
      .filter((name) => name.startsWith(`${scheme}://${namespace}/`)).sort();
  }

  get topicCount(): number {
    return this.#topics.size;
  }

  has(full: string): boolean {
    return this.#topics.has(full);
  }

  /** How many partitions a topic has, 0 for one that is not partitioned. */
  partitionsOf(base: string): number {
    return this.#partitioned.get(base) ?? 0;
  }

  /** The folder of a topic's log. */
  topicFolder(name: TopicName): string {
    return `${this.place.folder}/topics/${namespaceFolder(name.namespace)}/${
      encodeName(name.local)
    }`;
  }

  /** Notes a topic that has a log now. */
  add(name: TopicName): void {
    if (this.#topics.has(name.full)) return;
    this.#topics.add(name.full);
    this.#tell(name, true);
  }

  #tell({ full, namespace }: TopicName, isThere: boolean): void {
    for (const watcher of this.watchers) {
      if (watcher.namespace === namespace) watcher.note(full, isThere);
    }
  }

  /**
   * Removes a topic's log and everything about it. It must be closed.
   *
   * @throws {BrokerError} `disk_error`
   */
  async remove(name: TopicName): Promise<void> {
    const { disk, durability, folder } = this.place;
    removeLogFolder(disk, this.topicFolder(name));
    this.#topics.delete(name.full);
    this.#tell(name, false);
    if (durability !== "fsync") return;
    try {
      await disk.syncFolder(`${folder}/topics/${namespaceFolder(name.namespace)}`);
    } catch (error) {
      throw diskError(`remove ${JSON.stringify(name.full)}`, error);
    }
  }

  /**
   * Creates a partitioned topic, or gives one more partitions.
   *
   * @throws {BrokerError} `conflict`, `invalid`
   */
  async setPartitions(name: TopicName, partitions: number): Promise<void> {
    const before = this.partitionsOf(name.full);
    if (!Number.isInteger(partitions) || partitions < 1 || partitions > PARTITIONS_MAX) {
      throw new BrokerError(
        `Number of partitions should be from 1 to ${PARTITIONS_MAX}, not ${partitions}`,
        { code: "invalid" },
      );
    }
    if (partitions < before) {
      throw new BrokerError(
        `Number of partitions must be greater than existing ${before} partitions`,
        { code: "conflict" },
      );
    }
    const folder = partitionedFolder(name);
    this.place.disk.makeFolder(`${this.place.folder}/${folder}`);
    const file = `${encodeName(name.local)}.json`;
    await writeDocument(this.#documentPlace(folder, file), { partitions, name: name.full });
    this.#partitioned.set(name.full, partitions);
  }

  /**
   * Forgets a partitioned topic; its partitions are removed one by one.
   *
   * @throws {BrokerError} `disk_error`
   */
  async removePartitioned(name: TopicName): Promise<void> {
    this.#partitioned.delete(name.full);
    const file = `${encodeName(name.local)}.json`;
    await removeDocument(this.#documentPlace(partitionedFolder(name), file));
  }

  /** The partitions of a topic by name. */
  partitionNames(base: string): TopicName[] {
    return Array.from(
      { length: this.partitionsOf(base) },
      (_, i) => parseTopicName(partitionName(base, i)),
    );
  }
}
