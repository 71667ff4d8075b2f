import { lineOf } from "../base/mod.ts";
import { loadNative } from "../pulsar/mod.ts";

/** Whether npm:pulsar-client, the official Node client, can be used beside weir's own. */
export interface FoundNativeClient {
  readonly isThere: boolean;
  /** For a person: its version, or why it is not there and how to get it. */
  readonly text: string;
}

/**
 * Looks for npm:pulsar-client, which runs use with `client: "native"`.
 *
 * @param folder where `node_modules/pulsar-client` is looked for, and above; default the current one
 */
export function findNativeClient(folder?: string): FoundNativeClient {
  try {
    return { isThere: true, text: `${loadNative(folder).name} is installed` };
  } catch (error) {
    return { isThere: false, text: lineOf(error) };
  }
}
