/** One random history of consumers and their acknowledgements, run on a broker over the wire, and what the consumers saw of it. */
import { systemClock } from "../../lib/base/mod.ts";
import type { Random } from "../../lib/base/mod.ts";
import { CommandSubscribeSubType as SubType } from "../../lib/pulsar/wire/mod.ts";
import type { CommandBodies, MessageIdData } from "../../lib/pulsar/wire/mod.ts";
import { messageFrame } from "./dispatch_contract.ts";
import { sendFrame, WireSession } from "./wire_session.ts";

/** Kinds of subscription whose deliveries do not depend on chance. */
export type HistoryKind = "Exclusive" | "Shared" | "Failover" | "Key_Shared";

/** A step, its numbers to be taken modulo what there is. */
export interface HistoryStep {
  readonly kind:
    | "produce"
    | "ack"
    | "ackPart"
    | "ackUpTo"
    | "giveBack"
    | "giveAllBack"
    | "leave"
    | "join"
    | "seek";
  readonly who: number;
  readonly what: number;
}

const KINDS: readonly HistoryStep["kind"][] = [
  ...["produce", "produce", "produce", "produce", "ack", "ack", "ack", "ackPart", "ackPart"],
  ...["ackUpTo", "giveBack", "giveBack", "giveAllBack", "leave", "join", "join", "seek"],
] as HistoryStep["kind"][];

/** A history of so many steps. */
export function randomHistory(random: Random, length: number): HistoryStep[] {
  return Array.from({ length }, () => ({
    kind: KINDS[random.below(KINDS.length)]!,
    who: random.below(1000),
    what: random.below(1000),
  }));
}

/** Nothing more is taken to come when nothing has come for this long … */
const QUIET_MS = 150;
/** … and here, where a consumer that takes over waits for a second. */
const FAILOVER_QUIET_MS = 1500;
const PERMITS = 10_000;
const BATCH_MESSAGES = 3;

interface Member {
  readonly name: string;
  readonly session: WireSession;
  /** Indices of the entries that it has been given and has neither acknowledged nor given back. */
  readonly held: Set<number>;
}

/** Runs histories on one broker. */
export class HistoryRunner {
  readonly #ids: MessageIdData[] = [];
  #members: Member[] = [];
  #producer: WireSession | undefined;
  #joined = 0;
  /** Line by line what the consumers saw. */
  readonly seen: string[] = [];

  /** @param topic one that no history has used; its name decides who is served first */
  constructor(
    private readonly serviceUrl: string,
    private readonly kind: HistoryKind,
    private readonly topic: string,
  ) {}

  /** Runs a history from its beginning to its end. */
  async run(history: readonly HistoryStep[]): Promise<string[]> {
    this.#producer = await WireSession.connected(this.serviceUrl);
    await this.#producer.produce(this.topic);
    await this.#join();
    try {
      for (const step of history) {
        this.seen.push(`${step.kind} ${step.who} ${step.what}`);
        await this.#step(step);
        await this.#look();
      }
    } finally {
      await this.#producer[Symbol.asyncDispose]();
      for (const { session } of this.#members) await session[Symbol.asyncDispose]();
    }
    return this.seen;
  }

  async #step({ kind, who, what }: HistoryStep): Promise<void> {
    const member = this.#members[who % Math.max(1, this.#members.length)];
    if (kind === "produce") await this.#produce(what);
    else if (kind === "join") await this.#join();
    else if (member === undefined) return;
    else if (kind === "leave") await this.#leave(member);
    else if (kind === "seek") await this.#seek(member, what);
    else await this.#answer(member, kind, what);
  }

  async #produce(what: number): Promise<void> {
    const sequenceId = this.#ids.length * BATCH_MESSAGES;
    const partitionKey = `key ${what % 5}`;
    await this.#producer!.sendBytes(
      what % 2 === 0
        ? sendFrame(sequenceId, ["a", "b", "c"].slice(0, BATCH_MESSAGES), partitionKey)
        : messageFrame(sequenceId, { partitionKey }),
    );
    const { messageId } = (await this.#producer!.receive("SEND_RECEIPT")).body;
    this.#ids.push({ ledgerId: messageId!.ledgerId, entryId: messageId!.entryId });
  }

  get #membersMax(): number {
    return this.kind === "Failover" || this.kind === "Key_Shared" ? 3 : 1;
  }

  async #join(): Promise<void> {
    if (this.#members.length >= this.#membersMax) return;
    const session = await WireSession.connected(this.serviceUrl);
    const name = `consumer ${this.#joined++}`;
    const member = { name, session, held: new Set<number>() };
    this.#members.push(member);
    await this.#subscribe(member);
    await this.#flow(member);
  }

  async #subscribe({ name, session }: Member): Promise<void> {
    const subType = SubType[this.kind];
    const answer = await session.subscribe(this.topic, { subType, consumerName: name });
    this.seen.push(`  ${name} ${answer.type}`);
  }

  async #flow({ session }: Member): Promise<void> {
    await session.send("FLOW", { consumerId: 0, messagePermits: PERMITS });
  }

  async #leave(member: Member): Promise<void> {
    this.#members = this.#members.filter((other) => other !== member);
    const { session } = member;
    await session.send("CLOSE_CONSUMER", { consumerId: 0, requestId: session.nextRequestId() });
    await session.receive("SUCCESS");
    await session[Symbol.asyncDispose]();
  }

  async #seek({ session }: Member, what: number): Promise<void> {
    const messageId = this.#ids[what % Math.max(1, this.#ids.length)];
    if (messageId === undefined) return;
    const requestId = session.nextRequestId();
    await session.send("SEEK", { consumerId: 0, requestId, messageId });
    await session.receive("SUCCESS");
    await systemClock.sleep(QUIET_MS);
    const closed = this.#members.filter((one) =>
      one.session.takeWaiting("CLOSE_CONSUMER").length > 0
    );
    for (const one of closed) {
      this.#drain(one);
      one.held.clear();
    }
    for (const one of closed) await this.#subscribe(one);
    // None gets anything before all are there.
    for (const one of closed) await this.#flow(one);
  }

  async #answer(member: Member, kind: HistoryStep["kind"], what: number): Promise<void> {
    const { session, held } = member;
    const all = [...held].sort((a, b) => a - b);
    const one = all[what % Math.max(1, all.length)];
    if (one === undefined) return;
    const messageIds = [this.#ids[one]!];
    const ack = async (fields: Partial<CommandBodies["ACK"]>) => {
      const requestId = session.nextRequestId();
      const body = { consumerId: 0, ackType: 0, messageId: messageIds, requestId, ...fields };
      await session.send("ACK", body as CommandBodies["ACK"]);
      await session.receive("ACK_RESPONSE");
    };
    if (kind === "ack") {
      held.delete(one);
      await ack({});
    } else if (kind === "ackUpTo") {
      const isOrdered = this.kind === "Exclusive" || this.kind === "Failover";
      if (isOrdered) { for (const index of all) if (index <= one) held.delete(index); }
      await ack({ ackType: 1 });
    } else if (kind === "ackPart") {
      // Messages of an entry that is no batch cannot be acknowledged in part.
      const ackSet = [BigInt(1 + what % 6)];
      await ack({ messageId: [{ ...messageIds[0]!, ackSet }] });
    } else {
      const given = kind === "giveAllBack" ? [] : messageIds;
      const back = kind === "giveAllBack" || this.#membersMax === 1 && this.kind === "Exclusive"
        ? all
        : [one];
      for (const index of back) held.delete(index);
      await session.send("REDELIVER_UNACKNOWLEDGED_MESSAGES", {
        ...{ consumerId: 0, messageIds: given },
      });
    }
  }

  /** Waits until nothing more comes, and notes what has come. */
  async #look(): Promise<void> {
    for (let isQuiet = false; !isQuiet;) {
      await systemClock.sleep(this.kind === "Failover" ? FAILOVER_QUIET_MS : QUIET_MS);
      isQuiet = true;
      for (const member of this.#members) {
        for (const { messageId, redeliveryCount, ackSet } of this.#drain(member)) {
          isQuiet = false;
          const index = this.#ids.findIndex((id) =>
            id.ledgerId === messageId.ledgerId && id.entryId === messageId.entryId
          );
          member.held.add(index);
          const left = (ackSet ?? []).join();
          this.seen.push(
            `  ${index} to ${member.name}, again ${redeliveryCount ?? 0}, left ${left}`,
          );
        }
      }
    }
  }

  #drain({ session }: Member): CommandBodies["MESSAGE"][] {
    return session.takeWaiting("MESSAGE").map(({ body }) => body);
  }
}
