import { CommandLookupTopicResponseLookupType as LookupType } from "../wire/mod.ts";
import { CommandPartitionedTopicMetadataResponseLookupType as MetadataType } from "../wire/mod.ts";
import type {
  CommandGetOrCreateSchema,
  CommandGetSchema,
  CommandLookupTopic,
  CommandPartitionedTopicMetadata,
} from "../wire/mod.ts";
import type { Session } from "./session.ts";
import { BrokerError } from "./errors.ts";
import { decodeVersion, encodeVersion, schemaInfoOf } from "./schema_registry.ts";
import { parseTopicName } from "./topic_name.ts";

/** PARTITIONED_METADATA: how many partitions a topic has, 0 for one that is not partitioned. */
export function handlePartitionedMetadata(
  connection: Session,
  { topic, requestId }: CommandPartitionedTopicMetadata,
): void {
  const name = parseTopicName(topic);
  const { broker } = connection;
  broker.catalog.assertNamespace(name.namespace);
  if (name.isPersistent) broker.assertUsable(name);
  connection.send("PARTITIONED_METADATA_RESPONSE", {
    partitions: broker.catalog.partitionsOf(name.full),
    requestId,
    response: MetadataType.Success,
  });
}

/** LOOKUP: this broker serves every topic. */
export function handleLookup(
  connection: Session,
  { topic, requestId }: CommandLookupTopic,
): void {
  connection.broker.assertUsable(parseTopicName(topic));
  connection.send("LOOKUP_RESPONSE", {
    brokerServiceUrl: connection.serviceUrl,
    response: LookupType.Connect,
    requestId,
    authoritative: true,
    proxyThroughServiceUrl: true,
  });
}

/** GET_SCHEMA: one version of a topic's schema, or the latest. */
export function handleGetSchema(connection: Session, body: CommandGetSchema): void {
  const name = parseTopicName(body.topic);
  const { schemaVersion } = body;
  const wanted = schemaVersion === undefined || schemaVersion.length === 0
    ? undefined
    : decodeVersion(schemaVersion);
  const found = connection.broker.schemas.get(name, wanted);
  if (found === undefined) {
    throw new BrokerError("Topic not found or no-schema", { code: "topic_not_found" });
  }
  connection.send("GET_SCHEMA_RESPONSE", {
    requestId: body.requestId,
    schema: {
      name: name.base.slice(name.base.indexOf("://") + 3),
      schemaData: found.data,
      type: found.type,
      properties: Object.entries(found.properties).map(([key, value]) => ({ key, value })),
    },
    schemaVersion: encodeVersion(found.version),
  });
}

/** GET_OR_CREATE_SCHEMA: the version of a schema, registering it where it is new. */
export async function handleGetOrCreateSchema(
  connection: Session,
  body: CommandGetOrCreateSchema,
): Promise<void> {
  const { broker } = connection;
  const name = parseTopicName(body.topic);
  broker.assertUsable(name);
  const schema = schemaInfoOf(body.schema);
  if (schema === undefined) {
    throw new BrokerError("Cannot register a schema of type BYTES", {
      code: "incompatible_schema",
    });
  }
  const strategy = broker.compatibility(name.namespace);
  const version = await broker.schemas.getOrCreate(name, schema, strategy);
  connection.send("GET_OR_CREATE_SCHEMA_RESPONSE", {
    requestId: body.requestId,
    schemaVersion: encodeVersion(version),
  });
}
