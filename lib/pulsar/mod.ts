/** Apache Pulsar: a client for its binary protocol, and an embedded broker that speaks it. */
export { BrokerError, startBroker } from "./broker/mod.ts";
export type {
  BacklogPolicy,
  BrokerErrorCode,
  BrokerHandle,
  Durability,
  StartOptions,
  TopicPolicies,
} from "./broker/mod.ts";
export { frameFields, PulsarError, SchemaType } from "./wire/mod.ts";
export type { CompressionName, FrameFields, PulsarErrorCode } from "./wire/mod.ts";
export {
  BatchProducer,
  connectPulsar,
  denoTransport,
  MessageId,
  MessageProducer,
  parseServiceUrl,
  parseTopicName,
  partitionTopic,
  PulsarAdmin,
  PulsarClient,
  tokenAuthentication,
  tokenFileAuthentication,
  TopicSource,
} from "./client/mod.ts";
export type {
  Authentication,
  BatchProducerOptions,
  BrokerAddress,
  EncodedOrigin,
  FrameBatch,
  MessageProducerOptions,
  OpenTransport,
  OutgoingMessage,
  PulsarAdminOptions,
  PulsarClientOptions,
  RegisteredSchema,
  Schema,
  SchemaInfo,
  ServiceUrl,
  SourceOptions,
  SubscriptionStats,
  TlsOptions,
  TopicName,
  TopicSchema,
  TopicStats,
  Transport,
  WriterSchemas,
} from "./client/mod.ts";
