/** How the bench and its client processes speak: JSON lines, events on standard output, `go` and `end` on standard input. */

/** What a client process is told to do. */
export interface ClientTask {
  readonly serviceUrl: string;
  readonly topic: string;
  /** `receive`: one message after the other, as a service does it; ours only. */
  readonly role: "produce" | "consume" | "receive";
  readonly messageCount: number;
  readonly warmUpCount: number;
  readonly batchMessages: number;
  readonly messageBytes: number;
  /** What a producer paces itself to; Infinity to go as fast as it can. As JSON `null` stands for Infinity. */
  readonly messagesPerSec: number | null;
  /** `npm:pulsar-client` behind the same contract, or ours. */
  readonly client: "weir" | "native";
}

/** What a client process says. */
export type ClientEvent =
  | { readonly event: "ready"; readonly crc32c: "native" | "portable" }
  /** All messages have their receipt, or have come. */
  | { readonly event: "done"; readonly messageCount: number; readonly elapsedMs: number }
  | { readonly event: "missing"; readonly why: string };
