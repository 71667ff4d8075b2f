/** What a real broker and its official clients said, from tests/golden/pulsar (its README tells how it was recorded). */
import assert from "node:assert/strict";
import { type CommandBodies, decodeCommand, Frame } from "../../lib/pulsar/wire/mod.ts";
import type { CommandType } from "../../lib/pulsar/wire/mod.ts";

interface RecordedFrame {
  readonly from: "client" | "broker";
  readonly connection: number;
  /** Name of the command. */
  readonly command: string;
  /** The whole frame. */
  readonly hex: string;
}

/** The frames of one command in a recording, in their order; `name` is the file's, without `.json`. */
export function recordedFrames(
  name: string,
  wanted: Pick<RecordedFrame, "command"> & Partial<Pick<RecordedFrame, "from">>,
): Uint8Array[] {
  const file = new URL(`../golden/pulsar/${name}.json`, import.meta.url);
  const frames: RecordedFrame[] = JSON.parse(Deno.readTextFileSync(file));
  return frames
    .filter(({ from, command }) => command === wanted.command && from === (wanted.from ?? from))
    .map(({ hex }) => Uint8Array.fromHex(hex));
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
