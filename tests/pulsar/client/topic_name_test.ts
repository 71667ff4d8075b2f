import assert from "node:assert/strict";
import { parseTopicName, partitionTopic } from "../../../lib/pulsar/client/topic_name.ts";

Deno.test("parseTopicName() completes short names", () => {
  assert.equal(parseTopicName("t").full, "persistent://public/default/t");
  assert.equal(parseTopicName("a/b/t").full, "persistent://a/b/t");
  assert.equal(parseTopicName("non-persistent://a/b/t").domain, "non-persistent");
  assert.equal(
    partitionTopic(parseTopicName("t").full, 3),
    "persistent://public/default/t-partition-3",
  );
});

Deno.test("parseTopicName() refuses what is no topic name", () => {
  for (const name of ["", "a/b", "a/b/c/d", "persistent://t", "http://a/b/c", "a b", "a\u0000b"]) {
    assert.throws(() => parseTopicName(name), { code: "invalid_topic_name" }, name);
  }
});
