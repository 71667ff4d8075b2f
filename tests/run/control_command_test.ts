import assert from "node:assert/strict";
import { type ControlCommand, parseControlCommand } from "../../lib/run/control_command.ts";
import { parseRoleCommand } from "../../lib/run/protocol.ts";

Deno.test("parseControlCommand() takes each command as it is", () => {
  const commands: ControlCommand[] = [
    { command: "rate", messagesPerSec: 0 },
    { command: "pause" },
    { command: "resume" },
    { command: "stop" },
    { command: "note", text: "raised batch size" },
    { command: "inject", kind: "kill", role: "aggregate-12", at: "after-checkpoint" },
    { command: "inject", kind: "freeze", role: "broker", forMs: 1400 },
    { command: "inject", kind: "cut", role: "produce" },
  ];
  for (const command of commands) assert.deepEqual(parseControlCommand(command), command);
});

Deno.test("parseRoleCommand() reads what a runner writes, and nothing else", () => {
  const told = { command: "rate", messagesPerSec: 5, id: 3 };
  assert.deepEqual(parseRoleCommand(JSON.stringify(told)), told);
  for (const text of ["", "x", "{}", '{"command":"rate"}', '{"id":1}', "null"]) {
    assert.equal(parseRoleCommand(text), undefined, text);
  }
});
