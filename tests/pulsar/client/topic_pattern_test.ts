import assert from "node:assert/strict";
import { matchingTopics, parseTopicPattern } from "../../../lib/pulsar/client/topic_pattern.ts";

Deno.test("parseTopicPattern() and matchingTopics() find the topics that a pattern means", () => {
  const listed = [
    "persistent://public/default/orders-eu-partition-0",
    "persistent://public/default/orders-eu-partition-2",
    "persistent://public/default/orders-us",
    "persistent://public/default/old-orders-us",
    "non-persistent://public/default/orders-live",
    "persistent://public/default/__change_events",
  ];
  const find = (pattern: string | RegExp, mode?: "all" | "non-persistent") =>
    matchingTopics(parseTopicPattern(pattern, mode), listed)
      .map(({ name, partitions }) => `${name.split("/").pop()} ${partitions}`);
  assert.deepEqual(find("persistent://public/default/orders-.*"), ["orders-eu 3", "orders-us 0"]);
  assert.deepEqual(find("orders-(eu|us)"), ["orders-eu 3", "orders-us 0"]);
  assert.deepEqual(find(/^public\/default\/ORDERS-us$/i), ["orders-us 0"]);
  assert.deepEqual(find("orders-.*", "all"), ["orders-eu 3", "orders-us 0", "orders-live 0"]);
  assert.deepEqual(find("non-persistent://public/default/.*"), ["orders-live 0"]);
  assert.deepEqual(find(".*", "non-persistent"), ["orders-live 0"]);
  assert.equal(parseTopicPattern("a/b/c.*").namespace, "a/b");
  for (const wrong of ["persistent://a/b/c/d", "(", ".*/b/c"]) {
    assert.throws(() => parseTopicPattern(wrong), { code: "invalid_topic_name" }, wrong);
  }
});
