/** The frames that a real Pulsar and its official clients exchanged, as a fuzzer wants them. */
import { bytesOfHex } from "../../lib/base/mod.ts";

const FOLDER = new URL("../golden/pulsar/", import.meta.url);

/** One recorded frame, with its total size in front. */
export interface GoldenFrame {
  readonly from: "client" | "broker";
  readonly connection: number;
  readonly command: string;
  readonly bytes: Uint8Array;
  /** For failures: file, place and command. */
  readonly name: string;
}

/** Every recording; frames in the order in which they were seen. */
export function goldenRecordings(): GoldenFrame[][] {
  const files = [...Deno.readDirSync(FOLDER)].map((entry) => entry.name)
    .filter((name) => name.endsWith(".json")).sort();
  return files.map((file) => {
    const frames = JSON.parse(Deno.readTextFileSync(new URL(file, FOLDER))) as (
      & Omit<GoldenFrame, "bytes">
      & { readonly hex: string }
    )[];
    return frames.map(({ from, connection, command, hex }, i) => {
      const name = `${file}[${i}] ${command}`;
      return { from, connection, command, bytes: bytesOfHex(hex), name };
    });
  });
}
