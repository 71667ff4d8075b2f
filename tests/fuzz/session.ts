/** One hostile client: what it says, frame by frame, and what it may expect. */
import { type Random, systemClock } from "../../lib/base/mod.ts";
import { encodeCommand } from "../../lib/pulsar/wire/mod.ts";
import { generateForBroker, type Surroundings } from "./generate.ts";
import type { RecordedFrame } from "../pulsar/recorded.ts";
import type { MemoryBroker } from "./memory_broker.ts";
import { isFramed, mutateFrame, pick } from "./mutate.ts";

/** A client whose frames were all taken must get its last answer within this; the machine may be busy. */
export const HANG_MS = 10_000;
const PROBE_REQUEST = 0x7071_7273_7475n;
const FRAMES_MAX = 40;
const POSITIONS_MAX = 20;
const DEAF_TURNS = 10;

/** What a hostile client says. */
export interface Session {
  readonly frames: readonly Uint8Array[];
  /** Never reads an answer. */
  readonly isDeaf: boolean;
}

const CONNECT = encodeCommand("CONNECT", { clientVersion: "fuzz", protocolVersion: 21 });

function setUp(around: Surroundings): Uint8Array[] {
  const { random } = around;
  const topic = `persistent://public/default/fuzz-${pick(random, ["a", "b", "c"])}`;
  const frames: Uint8Array[] = [];
  if (random.below(2) === 0) {
    const requestId = around.requestId++;
    frames.push(encodeCommand("PRODUCER", { topic, producerId: 0, requestId }));
  }
  if (random.below(2) === 0) {
    const requestId = around.requestId++;
    const subType = random.below(4) as 0 | 1 | 2 | 3;
    const subscription = `fuzz-${subType}-${random.below(2)}`;
    frames.push(
      encodeCommand("SUBSCRIBE", {
        ...{ topic, subscription, subType, consumerId: 0, requestId },
        initialPosition: random.below(2) as 0 | 1,
        durable: random.below(3) > 0,
      }),
      encodeCommand("FLOW", { consumerId: 0, messagePermits: random.below(30) }),
    );
  }
  return frames;
}

/** Commands out of the tables, half of them damaged. */
function generatedFrames(around: Surroundings): Uint8Array[] {
  const { random } = around;
  const frames = [CONNECT, ...setUp(around)];
  const count = 1 + random.below(FRAMES_MAX);
  for (let i = 0; i < count; i++) {
    const frame = generateForBroker(around);
    frames.push(random.below(2) === 0 ? frame : mutateFrame(frame, random));
  }
  return frames;
}

/** A client's part of a recording, with damage here and there; now and then its frames change places. */
function recordedFrames(recordings: readonly RecordedFrame[][], random: Random): Uint8Array[] {
  const clients = pick(random, recordings).filter(({ from }) => from === "client");
  const damageOf = 2 + random.below(8);
  const frames = clients.map(({ bytes }) =>
    random.below(damageOf) === 0 ? mutateFrame(bytes, random) : bytes
  );
  if (random.below(4) === 0 && frames.length > 2) {
    const [from, to] = [random.below(frames.length), random.below(frames.length)];
    [frames[from], frames[to]] = [frames[to]!, frames[from]!];
  }
  return frames;
}

/** A new hostile client. */
export function makeSession(
  recordings: readonly RecordedFrame[][],
  around: Surroundings,
): Session {
  const { random } = around;
  const frames = random.below(3) === 0
    ? recordedFrames(recordings, random)
    : generatedFrames(around);
  return { frames, isDeaf: random.below(50) === 0 };
}

/** How a session ended. */
export interface Outcome {
  /** Frames that the broker has looked at. */
  readonly frameCount: number;
  /** What a broker must not do; undefined when it did well. */
  readonly fault: string | undefined;
}

function learn(around: Surroundings | undefined, body: unknown): void {
  const { messageId } = body as { messageId?: { ledgerId: number; entryId: number } };
  if (
    around === undefined || messageId === undefined || !Number.isSafeInteger(messageId.ledgerId)
  ) {
    return;
  }
  around.positions.push({ ledgerId: messageId.ledgerId, entryId: messageId.entryId });
  if (around.positions.length > POSITIONS_MAX) around.positions.shift();
}

/**
 * Lets a hostile client loose on a broker, one frame a read, and at the end asks for a sign of life: either it comes, or the
 * broker has hung up, or it waits for the rest of a frame that was announced longer than it is.
 */
export async function playSession(
  broker: MemoryBroker,
  session: Session,
  around?: Surroundings,
): Promise<Outcome> {
  let isAnswered = false;
  const { socket, ended } = broker.connect(({ command }) => {
    learn(around, command.body);
    const { requestId } = command.body as { requestId?: bigint };
    isAnswered ||= requestId === PROBE_REQUEST;
  });
  socket.isDeaf = session.isDeaf;
  // Nothing is left of some.
  const frames = session.frames.filter((frame) => frame.length > 0);
  const isExpecting = !session.isDeaf && frames.every(isFramed);
  for (const frame of frames) socket.push(frame);
  socket.push(encodeCommand("LOOKUP", {
    topic: "persistent://public/default/fuzz-a",
    requestId: PROBE_REQUEST,
  }));
  const pushedCount = frames.length + 1;
  const isOver = () =>
    socket.isClosed || socket.fault !== undefined || isAnswered ||
    !isExpecting && socket.takenCount === pushedCount;
  // Who does not read may not be listened to for ever: there is nothing to wait for.
  const fault = session.isDeaf ? await turns() : await untilOver(socket, isOver);
  socket.end();
  await ended;
  const frameCount = Math.min(socket.takenCount, frames.length);
  return { frameCount, fault: socket.fault ?? fault ?? broker.faults.shift() };
}

async function turns(): Promise<undefined> {
  for (let i = 0; i < DEAF_TURNS; i++) await new Promise((resolve) => setTimeout(resolve, 0));
}

async function untilOver(
  socket: { changed(): Promise<void> },
  isOver: () => boolean,
): Promise<string | undefined> {
  if (isOver()) return undefined;
  const done = new AbortController();
  const late = systemClock.sleep(HANG_MS, done.signal).then(() => "late", () => "in time");
  try {
    while (!isOver()) {
      const what = await Promise.race([socket.changed(), late]);
      if (what === "late") return `no answer after ${HANG_MS} ms`;
    }
    return undefined;
  } finally {
    done.abort();
    await late;
  }
}
