/** A client for Apache Pulsar's binary protocol. */
export { PulsarAdmin } from "./admin.ts";
export type {
  PulsarAdminOptions,
  RegisteredSchema,
  SubscriptionStats,
  TopicStats,
} from "./admin.ts";
export { tokenAuthentication, tokenFileAuthentication } from "./auth.ts";
export type { Authentication } from "./auth.ts";
export type { FrameBatch } from "./batch_buffer.ts";
export { connectPulsar, PulsarClient } from "./client.ts";
export type { PulsarClientOptions } from "./client.ts";
export { MessageProducer } from "./message_producer.ts";
export type { MessageProducerOptions, OutgoingMessage } from "./message_producer.ts";
export { MessageId } from "./message_id.ts";
export type { EncodedOrigin, Schema, SchemaInfo, TopicSchema, WriterSchemas } from "./schema.ts";
export { BatchProducer } from "./producer.ts";
export type { BatchProducerOptions } from "./producer.ts";
export { parseServiceUrl } from "./service_url.ts";
export type { BrokerAddress, ServiceUrl } from "./service_url.ts";
export { TopicSource } from "./source.ts";
export type { SourceOptions } from "./source.ts";
export { parseTopicName, partitionTopic } from "./topic_name.ts";
export type { TopicName } from "./topic_name.ts";
export { denoTransport } from "./transport.ts";
export type { OpenTransport, TlsOptions, Transport } from "./transport.ts";
