import assert from "node:assert/strict";
import { judge } from "../../lib/verdict/judge.ts";
import { parseResult, resultJsonSchema } from "../../lib/verdict/result.ts";
import { EVIDENCE, MEASURED } from "./_result.ts";

const SCHEMA = new URL("../../docs/result.schema.json", import.meta.url);

Deno.test("parseResult() takes what judge() makes, through JSON", () => {
  const result = judge(MEASURED, EVIDENCE);
  assert.deepEqual(parseResult(JSON.parse(JSON.stringify(result))), result);
});

Deno.test("parseResult() names every field that is not as it should be", () => {
  const result = judge(MEASURED, EVIDENCE);
  const broken = {
    ...result,
    verdict: "MAYBE",
    messages: { ...result.messages, lost: -1 },
    cpuSeconds: { ...result.cpuSeconds, broker: undefined },
    reasons: [],
  };
  assert.throws(() => parseResult(broken), (error) => {
    assert.ok(error instanceof TypeError);
    for (const field of ["verdict:", "messages.lost:", "cpuSeconds.broker:", "reasons:"]) {
      assert.ok(error.message.includes(field), `${field} in ${error.message}`);
    }
    return true;
  });
});

Deno.test("parseResult() refuses a result of another version", () => {
  assert.throws(
    () => parseResult({ ...judge(MEASURED, EVIDENCE), schemaVersion: 2 }),
    /schemaVersion/,
  );
});

Deno.test("resultJsonSchema() is what docs/result.schema.json holds", async () => {
  const current = JSON.stringify(resultJsonSchema(), null, 2) + "\n";
  if (Deno.env.get("UPDATE_GOLDEN") === "1") await Deno.writeTextFile(SCHEMA, current);
  assert.equal(
    await Deno.readTextFile(SCHEMA),
    current,
    "docs/result.schema.json is not current; run this test with UPDATE_GOLDEN=1 and commit it",
  );
});

Deno.test("resultJsonSchema() asks for every field that the interface promises", () => {
  const { required } = resultJsonSchema() as { required: string[] };
  const promised = [
    "schemaVersion",
    "verdict",
    "reasons",
    "rateMessagesPerSec",
    "messages",
    "rows",
    "latencyUs",
    "inserts",
    "checkpoints",
    "cpuSeconds",
    "rssBytesMax",
    "cpuNsPerMessage",
    "durationSec",
    "systems",
    "restarts",
    "plants",
    "runDir",
  ];
  for (const field of promised) assert.ok(required.includes(field), field);
});
