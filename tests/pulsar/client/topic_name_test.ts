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
  for (const name of ["", "a/b", "a/b/c/d", "persistent://t", "http://a/b/c", "a\u0000b"]) {
    assert.throws(() => parseTopicName(name), { code: "invalid_topic_name" }, name);
  }
});

Deno.test("parseTopicName() takes spaces inside a name, as Pulsar does, and nowhere else", () => {
  assert.equal(parseTopicName("a b").full, "persistent://public/default/a b");
  assert.equal(parseTopicName("persistent://t/n/a b").localName, "a b");
  for (const text of [" a", "a ", "t/n/ a", "t t/n/a", "t/n n/a", "a\tb", "a\nb"]) {
    assert.throws(() => parseTopicName(text), { code: "invalid_topic_name" }, text);
  }
});
