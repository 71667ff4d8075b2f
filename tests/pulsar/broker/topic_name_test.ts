import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeName, encodeName, parseTopicName } from "../../../lib/pulsar/broker/topic_name.ts";

Deno.test("parseTopicName() reads full, short and partition names", () => {
  assert.equal(parseTopicName("t").full, "persistent://public/default/t");
  assert.equal(parseTopicName("a/b/t").full, "persistent://a/b/t");
  const partition = parseTopicName("persistent://a/b/t-partition-12");
  assert.deepEqual([partition.partition, partition.base, partition.namespace, partition.local], [
    12,
    "persistent://a/b/t",
    "a/b",
    "t-partition-12",
  ]);
  assert.equal(parseTopicName("non-persistent://a/b/t").isPersistent, false);
});

Deno.test("parseTopicName() takes for partitions only numbers as Java writes them", () => {
  for (const suffix of ["00", "01", "-1", "", "99999999999", "2147483648", "1x"]) {
    const { partition, base, full } = parseTopicName(`t-partition-${suffix}`);
    assert.deepEqual([partition, base], [-1, full], suffix);
  }
  assert.equal(parseTopicName("t-partition-2147483647").partition, 2147483647);
});

Deno.test("parseTopicName() refuses what is no topic", () => {
  for (
    const text of [
      "kafka://a/b/t",
      "persistent://a/b",
      "persistent://a//t",
      "persistent://a/b/c/t",
      "x/y",
      "x".repeat(9_000),
    ]
  ) {
    assert.throws(() => parseTopicName(text), { code: "invalid_topic" }, text);
  }
});

Deno.test("encodeName() makes file names that come back, and that differ without regard to case", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (name) => {
      const encoded = encodeName(name);
      assert.match(encoded, /^[a-z0-9_%-][a-z0-9_.%-]*$/);
      if (!/[\ud800-\udfff]/.test(name)) assert.equal(decodeName(encoded), name);
    }),
    { seed: 3 },
  );
  assert.notEqual(encodeName("Topic").toLowerCase(), encodeName("topic").toLowerCase());
  assert.equal(encodeName(".."), "%2e.");
});

Deno.test("encodeName() makes names of any length ones that a file system takes, and all different", () => {
  const long = Array.from({ length: 50 }, (_, i) => `${"Ä".repeat(150)}${i}`);
  const encoded = long.map(encodeName);
  assert.equal(new Set(encoded).size, long.length);
  for (const name of encoded) {
    assert(name.length <= 200, name);
    assert.equal(decodeName(name), undefined);
  }
});
