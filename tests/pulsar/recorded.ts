/** What a real broker and its official clients said, from tests/golden/pulsar (its README tells how it was recorded). */
import assert from "node:assert/strict";
import { type CommandBodies, decodeCommand, Frame } from "../../lib/pulsar/wire/mod.ts";
import type { CommandType } from "../../lib/pulsar/wire/mod.ts";

const FOLDER = new URL("../golden/pulsar/", import.meta.url);

/** One recorded frame, with its total size in front. */
export interface RecordedFrame {
  readonly from: "client" | "broker";
  readonly connection: number;
  /** Name of the command. */
  readonly command: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** For failures: recording, place and command. */
  readonly name: string;
}

/** A recording's frames in the order in which they were seen; `name` is the file's, without `.json`. */
export function recording(name: string): RecordedFrame[] {
  const text = Deno.readTextFileSync(new URL(`${name}.json`, FOLDER));
  const frames: (Omit<RecordedFrame, "bytes" | "name"> & { readonly hex: string })[] = JSON.parse(
    text,
  );
  return frames.map(({ hex, ...frame }, i) => ({
    ...frame,
    bytes: Uint8Array.fromHex(hex),
    name: `${name}[${i}] ${frame.command}`,
  }));
}

/** Every recording. Those named `raw_` hold what no client sends: damaged frames, or frames out of order. */
export function allRecordings(): RecordedFrame[][] {
  return [...Deno.readDirSync(FOLDER)].map(({ name }) => name)
    .filter((name) => name.endsWith(".json")).sort()
    .map((name) => recording(name.slice(0, -".json".length)));
}

/** The frames of one command in a recording, in their order. */
export function recordedFrames(
  name: string,
  wanted: Pick<RecordedFrame, "command"> & Partial<Pick<RecordedFrame, "from">>,
): Uint8Array<ArrayBuffer>[] {
  return recording(name)
    .filter(({ from, command }) => command === wanted.command && from === (wanted.from ?? from))
    .map(({ bytes }) => bytes);
}

/** The commands of one type in a recording, in their order. */
export function recordedCommands<Type extends CommandType>(
  name: string,
  type: Type,
): CommandBodies[Type][] {
  return recordedFrames(name, { command: type }).map((bytes) => {
    const command = decodeCommand(new Frame().read(bytes, 0, bytes.length));
    assert.equal(command?.type, type);
    return command!.body as CommandBodies[Type];
  });
}
