import assert from "node:assert/strict";
import { chooseAction } from "../../infra/command.ts";

const ACTIONS = { pulsar: () => Promise.resolve() };

Deno.test("chooseAction() takes the server's name and leaves its flags", () => {
  const chosen = chooseAction(["pulsar", "--port", "1"], ACTIONS);
  assert(chosen !== "help");
  assert.equal(chosen.action, ACTIONS.pulsar);
  assert.deepEqual(chosen.rest, ["--port", "1"]);
});

Deno.test("chooseAction() helps when nothing or help is asked for", () => {
  for (const args of [[], ["--help"], ["-h"]]) assert.equal(chooseAction(args, ACTIONS), "help");
});

Deno.test("chooseAction() names the servers that there are", () => {
  assert.throws(() => chooseAction(["kafka"], ACTIONS), /no server "kafka"/);
  assert.throws(() => chooseAction(["toString"], ACTIONS), /no server "toString"/);
});
