import type { Position } from "../../contract.ts";

/** Where a message lies. */
export interface MessageId extends Position {
  /** −1 for a topic that is not partitioned. */
  readonly partition: number;
  /** Its place in the entry's batch, −1 for a message that has an entry of its own. */
  readonly batchIndex: number;
  /** How many messages the entry's batch holds; absent where there is none or it is not known. */
  readonly batchMessageCount?: number | undefined;
  /** Of a message in chunks: where its first chunk lies. The id itself is that of the last one. */
  readonly firstChunk?: Position | undefined;
}
