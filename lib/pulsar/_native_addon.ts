/** What is used of npm:pulsar-client 1.x, as its index.d.ts has it, and how it is found. */
import { createRequire } from "node:module";
import { join } from "node:path";
import { messageOf } from "../base/mod.ts";
import { PulsarError } from "./wire/mod.ts";

/** A message's place. */
export interface NativeMessageId {
  serialize(): Uint8Array;
}

/** A message that was received. */
export interface NativeMessage {
  getData(): Uint8Array;
  getMessageId(): NativeMessageId;
  getProperties(): Record<string, string>;
  getPublishTimestamp(): number;
}

/** A producer of one topic or partition. */
export interface NativeProducerHandle {
  send(message: {
    readonly data: Uint8Array;
    readonly sequenceId: number;
    readonly properties?: Record<string, string>;
    readonly deliverAt?: number;
  }): Promise<NativeMessageId>;
  flush(): Promise<unknown>;
  close(): Promise<unknown>;
}

/** A consumer of one topic or partition. */
export interface NativeConsumerHandle {
  batchReceive(): Promise<NativeMessage[]>;
  acknowledgeCumulativeId(id: NativeMessageId): Promise<unknown>;
  close(): Promise<unknown>;
}

/** A client. */
export interface NativeClientHandle {
  createProducer(config: Record<string, unknown>): Promise<NativeProducerHandle>;
  subscribe(config: Record<string, unknown>): Promise<NativeConsumerHandle>;
  close(): Promise<unknown>;
}

/** The package. */
export interface NativeAddon {
  readonly Client: {
    new (config: Record<string, unknown>): NativeClientHandle;
    setLogHandler?(handler: (...line: unknown[]) => void): void;
  };
  readonly MessageId: { deserialize(bytes: Uint8Array): NativeMessageId };
  readonly AuthenticationToken: new (options: { readonly token: string }) => unknown;
}

/** The package as it is installed. */
export interface LoadedAddon {
  readonly addon: NativeAddon;
  /** E.g. `npm:pulsar-client 1.18.0`. */
  readonly name: string;
}

const CURE =
  "run `npm install pulsar-client@1.18.0` in this folder where its install script may download the addon, which no registry has; or use weir's own client";

/**
 * Finds the package in the `node_modules` of a folder or of those above it, and loads its addon: needs `--allow-ffi`, `--allow-sys`, and to read
 * and see the environment.
 *
 * It is no dependency of this project: its install script downloads the addon from a site that is no registry.
 *
 * @throws {PulsarError} `native_client_missing`, with how to get it
 */
export function loadAddon(folder: string): LoadedAddon {
  const require = createRequire(join(folder, "package.json"));
  let version: string;
  try {
    version = (require("pulsar-client/package.json") as { version: string }).version;
  } catch (error) {
    throw missing(`it is not installed in ${folder} or above it`, error);
  }
  try {
    return { addon: require("pulsar-client"), name: `npm:pulsar-client ${version}` };
  } catch (error) {
    throw missing(`version ${version} is there, and its addon cannot be loaded`, error);
  }
}

function missing(state: string, cause: unknown): PulsarError {
  return new PulsarError(`Cannot use npm:pulsar-client: ${state}: ${shortOf(cause)}`, {
    code: "native_client_missing",
    cure: CURE,
    cause,
  });
}

/** Node names all the files that it came by. */
function shortOf(cause: unknown): string {
  return messageOf(cause).split(" Require stack")[0]!.slice(0, 200);
}
