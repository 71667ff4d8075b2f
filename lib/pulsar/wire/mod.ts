/** Pulsar's binary protocol as bytes: frames, commands, payloads, batches. No socket, no clock. */
export { AckView, writeAck } from "./ack.ts";
export { plainHeaderLength, putPlainHeader, splitBatch, writeSingleMetadata } from "./batch.ts";
export type { SingleMetadataFields } from "./batch.ts";
export {
  commandType,
  decodeCommand,
  encodeCommand,
  expectCommand,
  writeCommand,
} from "./command.ts";
export type { Command, CommandType } from "./command.ts";
export { compress, compressionNumber, decompress } from "./compression.ts";
export type { CompressionName } from "./compression.ts";
export { malformed, PulsarError, serverError } from "./errors.ts";
export type { PulsarErrorCode, PulsarErrorOptions } from "./errors.ts";
export { frameFields } from "./fields.ts";
export type { FrameFields } from "./fields.ts";
export { FlowView, writeFlow } from "./flow.ts";
export {
  DEFAULT_FRAME_BYTES_MAX,
  DEFAULT_MESSAGE_BYTES_MAX,
  Frame,
  FRAME_PADDING_BYTES,
} from "./frame.ts";
export { FrameReader } from "./frame_reader.ts";
export { MessageView, writeMessageHeader } from "./message.ts";
export { decodeMessage, encodeMessage } from "./message_codec.ts";
export { MetadataView, writeMetadata } from "./metadata.ts";
export type { MetadataFields } from "./metadata.ts";
export { murmur3 } from "./murmur3.ts";
export { closePayload, PayloadSection } from "./payload.ts";
export { ProtoReader } from "./proto_reader.ts";
export { ProtoWriter } from "./proto_writer.ts";
export {
  BROKER_ENTRY_METADATA,
  CommandAckAckType,
  CommandGetTopicsOfNamespaceMode,
  CommandLookupTopicResponseLookupType,
  CommandPartitionedTopicMetadataResponseLookupType,
  COMMANDS,
  CommandSubscribeInitialPosition,
  CommandSubscribeSubType,
  CompressionType,
  KeySharedMode,
  MESSAGE_ID_DATA,
  MESSAGE_METADATA,
  ProducerAccessMode,
  SchemaType,
  ServerError,
  SINGLE_MESSAGE_METADATA,
} from "./pulsar_api.ts";
export type {
  BrokerEntryMetadata,
  CommandAck,
  CommandAuthResponse,
  CommandBodies,
  CommandCloseConsumer,
  CommandCloseProducer,
  CommandConnect,
  CommandConsumerStats,
  CommandFlow,
  CommandGetLastMessageId,
  CommandGetOrCreateSchema,
  CommandGetSchema,
  CommandGetTopicsOfNamespace,
  CommandLookupTopic,
  CommandMessage,
  CommandPartitionedTopicMetadata,
  CommandProducer,
  CommandProducerSuccess,
  CommandRedeliverUnacknowledgedMessages,
  CommandSeek,
  CommandSend,
  CommandSendError,
  CommandSendReceipt,
  CommandSubscribe,
  CommandUnsubscribe,
  CommandWatchTopicList,
  CommandWatchTopicListClose,
  FeatureFlags,
  KeySharedMeta,
  KeyValue,
  MessageIdData,
  MessageMetadata,
  Schema,
  SingleMessageMetadata,
} from "./pulsar_api.ts";
export { alignRecordNames } from "./record_names.ts";
export type { NamedType } from "./record_names.ts";
export { SendView, writeSend } from "./send.ts";
export { SendReceiptView, writeSendReceipt } from "./send_receipt.ts";
