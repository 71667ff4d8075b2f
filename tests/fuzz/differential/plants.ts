/** Faults put between judge and broker on purpose: a judge that does not see them sees nothing. */
import type { Command } from "../../../lib/pulsar/wire/mod.ts";
import type { Said, Tampering } from "./judge_connection.ts";

type Body = Record<string, unknown>;

function changed(command: Command, change: (body: Body) => Body): Command {
  return {
    type: command.type,
    body: change(command.body as unknown as Body),
  } as unknown as Command;
}

/** Changes each so-many-th command of a type that comes from the broker. */
function everyNth(type: Command["type"], n: number, change: (said: Said) => readonly Said[]) {
  let count = 0;
  return (said: Said): readonly Said[] =>
    said.command.type === type && ++count % n === 0 ? change(said) : [said];
}

/** The faults by name; each call gives one of its own. */
export const PLANTS: Readonly<Record<string, () => Tampering>> = {
  "lose-message": () => ({ fromBroker: everyNth("MESSAGE", 5, () => []) }),
  "double-message": () => ({ fromBroker: everyNth("MESSAGE", 5, (said) => [said, said]) }),
  "forget-ack": () => {
    let count = 0;
    return {
      // It answers as if it had noted them: an ACK of nothing.
      toBroker: (command) =>
        command.type === "ACK" && ++count % 3 === 0
          ? changed(command, (body) => ({ ...body, messageId: [] }))
          : command,
    };
  },
  "individual-is-cumulative": () => ({
    toBroker: (command) =>
      command.type === "ACK" ? changed(command, (body) => ({ ...body, ackType: 1 })) : command,
  }),
  "seek-one-late": () => ({
    toBroker: (command) =>
      command.type !== "SEEK" ? command : changed(command, (body) => {
        const id = body.messageId as { ledgerId: number; entryId: number } | undefined;
        if (id === undefined || id.entryId < 0) return body;
        return { ...body, messageId: { ...id, entryId: id.entryId + 1 } };
      }),
  }),
  "redelivery-count-of-0": () => ({
    fromBroker: everyNth("MESSAGE", 1, ({ command, texts }) => [{
      command: changed(command, (body) => ({ ...body, redeliveryCount: 0 })),
      texts,
    }]),
  }),
  "batch-index-lost": () => ({
    toBroker: (command) =>
      command.type !== "ACK" ? command : changed(command, (body) => ({
        ...body,
        messageId: (body.messageId as Body[]).filter((id) => id.ackSet === undefined),
      })),
  }),
};
