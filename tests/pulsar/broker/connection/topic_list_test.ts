import assert from "node:assert/strict";
import { crc32cPortable } from "../../../../lib/base/mod.ts";
import {
  topicListHash,
  topicMatcher,
} from "../../../../lib/pulsar/broker/connection/topic_list.ts";

const name = (local: string) => `persistent://public/default/${local}`;

Deno.test("topicListHash() is what Pulsar 4.2.4 computes", () => {
  // From tests/golden/pulsar/java_pattern.json.
  assert.equal(topicListHash([name("java-pattern-0")], crc32cPortable), "cf020692");
  const two = [name("java-pattern-1"), name("java-pattern-0")];
  assert.equal(topicListHash(two, crc32cPortable), "ddd82842");
  assert.equal(topicListHash(two.reverse(), crc32cPortable), "ddd82842");
  assert.equal(topicListHash([], crc32cPortable), "00000000");
});

Deno.test("topicMatcher() looks at the whole name, without scheme and partition", async () => {
  const matches = await topicMatcher("persistent://public/default/a-\\d");
  assert.equal(matches(name("a-1")), true);
  assert.equal(matches(name("a-1-partition-7")), true);
  assert.equal(matches("non-persistent://public/default/a-1"), true);
  for (const other of ["a-12", "ba-1", "a-"]) assert.equal(matches(name(other)), false, other);
});

Deno.test("topicMatcher() knows quoted text, and what only the runtime's expressions know", async () => {
  assert.equal((await topicMatcher("public/default/\\Qa.b\\E"))(name("a.b")), true);
  assert.equal((await topicMatcher("public/default/\\Qa.b\\E"))(name("aXb")), false);
  const others = await topicMatcher("public/default/(?!private).*");
  assert.deepEqual([others(name("shared")), others(name("private-1"))], [true, false]);
});

Deno.test("topicMatcher() answers hostile patterns in no time", async () => {
  const matches = await topicMatcher("(public|default|/|a|a|aa|aaa)+b");
  assert.equal(matches(name("a".repeat(150))), false);
  await assert.rejects(topicMatcher("(?=p)(a|a+)+b"), { code: "invalid_topic" });
});

Deno.test("topicMatcher() refuses what is no pattern", async () => {
  await assert.rejects(topicMatcher("a("), { code: "invalid_topic" });
});
