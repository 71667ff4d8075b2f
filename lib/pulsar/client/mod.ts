/** A client for Apache Pulsar's binary protocol. */
export { PulsarAdmin } from "./admin.ts";
export type {
  PulsarAdminOptions,
  RegisteredSchema,
  SubscriptionStats,
  TopicStats,
} from "./admin.ts";
export {
  basicAuthentication,
  tlsAuthentication,
  tokenAuthentication,
  tokenFileAuthentication,
} from "./auth.ts";
export type { Authentication, TlsIdentity } from "./auth.ts";
export { oauth2Authentication } from "./auth_oauth2.ts";
export type { OAuth2Options } from "./auth_oauth2.ts";
export type { FrameBatch } from "./batch_buffer.ts";
export { Consumer } from "./consumer.ts";
export type { BatchReceiveOptions, MessageOrId } from "./consumer.ts";
export { multiplierBackoff } from "./consumer_options.ts";
export type {
  ConsumerOptions,
  DeadLetterPolicy,
  KeySharedPolicy,
  MessageListener,
  ReadingOptions,
  RedeliveryBackoff,
  SubscriptionType,
} from "./consumer_options.ts";
export type { ConsumerStats } from "./consumer_stats.ts";
export type { ReceiveOptions } from "./inbox.ts";
export { Reader } from "./reader.ts";
export type { ReaderOptions } from "./reader.ts";
export { TableView } from "./table_view.ts";
export type { TableListener, TableViewOptions } from "./table_view.ts";
export type { Message } from "./message.ts";
export { connectPulsar, PulsarClient } from "./client.ts";
export type { PulsarClientOptions } from "./client.ts";
export { keyHash } from "./key_hash.ts";
export type { HashingScheme } from "./key_hash.ts";
export type { MessageRouter, Routing } from "./message_router.ts";
export type { BatchBy } from "./open_batch.ts";
export type { OutgoingMessage } from "./outgoing_message.ts";
export type { AccessMode } from "./partition_producer.ts";
export { Producer } from "./producer.ts";
export type { BatchingOptions, ProducerOptions } from "./producer_options.ts";
export type { ProducerInterval, ProducerStats } from "./producer_stats.ts";
export { MessageId } from "./message_id.ts";
export type { EncodedOrigin, Schema, SchemaInfo, TopicSchema, WriterSchemas } from "./schema.ts";
export { BatchProducer } from "./batch_producer.ts";
export type { BatchProducerOptions } from "./batch_producer.ts";
export type { AvroOptions } from "./schema_avro.ts";
export type { KeyValueEncoding, KeyValuePair } from "./schema_key_value.ts";
export { schema } from "./schemas.ts";
export { parseServiceUrl } from "./service_url.ts";
export type { BrokerAddress, ServiceUrl } from "./service_url.ts";
export { TopicSource } from "./source.ts";
export type { SourceOptions } from "./source.ts";
export { parseTopicName, partitionTopic } from "./topic_name.ts";
export type { TopicName } from "./topic_name.ts";
export { denoTransport } from "./deno_transport.ts";
export { nodeTransport } from "./node_transport.ts";
export { systemTransport } from "./system_transport.ts";
export type { OpenTransport, TlsOptions, Transport } from "./transport.ts";
