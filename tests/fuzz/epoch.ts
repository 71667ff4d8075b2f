/** Hostile sessions against one broker from its start to its restart, with healthy clients beside them. */
import { messageOf } from "../../lib/base/mod.ts";
import { HealthyPair } from "./healthy_pair.ts";
import { MemoryBroker } from "./memory_broker.ts";
import { playSession, type Session } from "./session.ts";
import type { Surroundings } from "./generate.ts";

/** What a broker did that it must not do, and the sessions that led there. */
export interface Finding {
  readonly fault: string;
  readonly sessions: readonly Session[];
}

/** A fault without what changes from one run to the next, so that two can be compared. */
export function faultKind(fault: string): string {
  return fault.replaceAll(/\d+/g, "0").replaceAll(/fuzz-\S+/g, "topic").slice(0, 120);
}

/** A promise that nobody waited for was rejected: kept until it is asked for. */
export class Unhandled implements Disposable {
  first: string | undefined;
  readonly #listener = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    const { reason } = event;
    this.first ??= `unhandled rejection: ${reason instanceof Error ? reason.stack : reason}`;
  };

  constructor() {
    globalThis.addEventListener("unhandledrejection", this.#listener);
  }

  [Symbol.dispose](): void {
    globalThis.removeEventListener("unhandledrejection", this.#listener);
  }
}

/** How an epoch is played. */
export interface EpochOptions {
  readonly folder: string;
  /** The next hostile client, or undefined at the end. */
  readonly next: () => Session | undefined;
  readonly around?: Surroundings;
  /** Hears how many frames a session's broker has looked at. */
  readonly progress?: (frameCount: number) => void;
  /** Is called between the broker's end and its second start. */
  readonly beforeRestart?: () => Promise<void>;
  /** Hostile sessions between two messages of the healthy clients. */
  readonly sessionsPerExchange?: number;
}

const TOPIC = "persistent://public/default/of-healthy-clients";

async function playSessions(
  options: EpochOptions,
  broker: MemoryBroker,
  healthy: HealthyPair,
  played: Session[],
): Promise<string | undefined> {
  const { next, progress, around, sessionsPerExchange = 4 } = options;
  for (let session = next(); session !== undefined; session = next()) {
    played.push(session);
    const outcome = await playSession(broker, session, around);
    progress?.(outcome.frameCount);
    if (outcome.fault !== undefined) return outcome.fault;
    if (played.length % sessionsPerExchange === 0) await healthy.exchange();
  }
  await healthy.exchange();
  return undefined;
}

async function playAndRestart(
  options: EpochOptions,
  played: Session[],
): Promise<string | undefined> {
  let acknowledged: string[];
  {
    await using broker = await MemoryBroker.open(options.folder);
    const healthy = await HealthyPair.open(broker, TOPIC);
    const fault = await playSessions(options, broker, healthy, played);
    if (fault !== undefined) return fault;
    await healthy.close();
    acknowledged = healthy.acknowledged;
    if (broker.broker.connections.size > 0) {
      return `${broker.broker.connections.size} connections are left`;
    }
  }
  await options.beforeRestart?.();
  await using again = await MemoryBroker.open(options.folder);
  const healthy = await HealthyPair.open(again, TOPIC, acknowledged);
  await healthy.exchange();
  await healthy.audit();
  await healthy.close();
  return again.faults[0];
}

/**
 * Plays hostile sessions on a new broker, restarts it, and compares what the healthy clients were promised with what is there.
 *
 * @returns what was found, or undefined when all is well
 */
export async function playEpoch(options: EpochOptions): Promise<Finding | undefined> {
  const played: Session[] = [];
  using unhandled = new Unhandled();
  const fault = await playAndRestart(options, played).catch((error) => messageOf(error));
  // Rejections are told a turn later.
  await new Promise((resolve) => setTimeout(resolve, 0));
  const found = unhandled.first ?? fault;
  return found === undefined ? undefined : { fault: found, sessions: played };
}
