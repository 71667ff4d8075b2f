/** Everything that client or broker ever reads of a frame, at once: to see what bytes do to it. */
import type { Crc32c } from "../../lib/base/mod.ts";
import {
  AckView,
  COMMANDS,
  decodeCommand,
  decodeMessage,
  decompress,
  FlowView,
  Frame,
  frameFields,
  MESSAGE_METADATA,
  MessageView,
  MetadataView,
  PayloadSection,
  SendReceiptView,
  SendView,
  splitBatch,
} from "../../lib/pulsar/wire/mod.ts";

const UNCOMPRESSED_BYTES_MAX = 1 << 20;
const MESSAGES_MAX = 100_000;

const frame = new Frame();
const section = new PayloadSection();
const metadata = new MetadataView();
const views = new Map<number, { read(frame: Frame): unknown }>([
  [COMMANDS.SEND.number, new SendView()],
  [COMMANDS.SEND_RECEIPT.number, new SendReceiptView()],
  [COMMANDS.MESSAGE.number, new MessageView()],
  [COMMANDS.ACK.number, new AckView()],
  [COMMANDS.FLOW.number, new FlowView()],
]);

function readSection(crc32c: Crc32c): void {
  section.read(frame.bytes, frame.commandEnd, frame.end);
  section.assertChecksum(crc32c);
  metadata.read(section.bytes, section.metadataStart, section.metadataEnd);
  decodeMessage(MESSAGE_METADATA, section.bytes, section.metadataStart, section.metadataEnd);
  if (metadata.isEncrypted || metadata.isChunk) return;
  const { compression, uncompressedSize, messageCount } = metadata;
  const payload = section.bytes.subarray(section.metadataEnd, section.end);
  const content = decompress(compression, payload, uncompressedSize, UNCOMPRESSED_BYTES_MAX);
  if (!metadata.isBatch || messageCount > MESSAGES_MAX) return;
  splitBatch(content, 0, content.length, messageCount, new Uint32Array(2 * messageCount));
}

/**
 * Reads a whole frame and all that is in it.
 *
 * @throws {PulsarError} and nothing else
 */
export function decodeWhole(bytes: Uint8Array, crc32c: Crc32c): void {
  frame.read(bytes, 0, bytes.length);
  views.get(frame.type)?.read(frame);
  if (decodeCommand(frame) === undefined) return;
  if (frame.commandEnd < frame.end) readSection(crc32c);
  frameFields(bytes);
}
