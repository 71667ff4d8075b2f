import {
  CommandLookupTopicResponseLookupType as LookupType,
  CommandPartitionedTopicMetadataResponseLookupType as MetadataType,
} from "../../wire/mod.ts";
import type {
  CommandGetOrCreateSchema,
  CommandGetSchema,
  CommandLookupTopic,
  CommandPartitionedTopicMetadata,
} from "../../wire/mod.ts";
import type { Session } from "./session.ts";
import { BrokerError } from "../errors.ts";
import { decodeVersion, encodeVersion, schemaInfoOf } from "../schema/mod.ts";
import { partitionsFor, topicExists } from "../topic_access.ts";
import { parseTopicName } from "../topic_name.ts";

/** PARTITIONED_METADATA: how many partitions a topic has, 0 for one that is not partitioned. */
export async function handlePartitionedMetadata(
  connection: Session,
  { topic, requestId, metadataAutoCreationEnabled = true }: CommandPartitionedTopicMetadata,
): Promise<void> {
  const { broker } = connection;
  const name = parseTopicName(topic);
  const partitions = await partitionsFor(broker, name, metadataAutoCreationEnabled);
  connection.send("PARTITIONED_METADATA_RESPONSE", {
    partitions,
    requestId,
    response: MetadataType.Success,
  });
}

/** LOOKUP: this broker serves every topic, whether there is one or not. */
export function handleLookup(
  connection: Session,
  { topic, requestId, advertisedListenerName }: CommandLookupTopic,
): void {
  connection.broker.catalog.assertNamespace(parseTopicName(topic).namespace);
  if (advertisedListenerName) {
    throw new BrokerError(`the broker do not have ${advertisedListenerName} listener`, {
      code: "closed",
    });
  }
  connection.send("LOOKUP_RESPONSE", {
    brokerServiceUrl: connection.serviceUrl,
    brokerServiceUrlTls: connection.broker.tlsUrl,
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
  if (schemaVersion?.length === 0) {
    throw new BrokerError("Empty schema version", { code: "incompatible_schema" });
  }
  const wanted = schemaVersion === undefined ? undefined : decodeVersion(schemaVersion);
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
  if (!topicExists(broker, name)) {
    throw new BrokerError(`Topic not found ${name.full}`, { code: "topic_not_found" });
  }
  const version = await broker.schemas.admit(name, schemaInfoOf(body.schema), {
    strategy: broker.compatibility(name.namespace),
    policies: broker.policies(name),
  });
  connection.send("GET_OR_CREATE_SCHEMA_RESPONSE", {
    requestId: body.requestId,
    schemaVersion: version === undefined ? new Uint8Array(0) : encodeVersion(version),
  });
}
