/** What a broker's catalog still knows after a power loss. */
import assert from "node:assert/strict";
import { crc32cPortable, seededRandom } from "../../../lib/base/mod.ts";
import { Catalog } from "../../../lib/pulsar/broker/catalog.ts";
import { writeDocument } from "../../../lib/pulsar/broker/log/mod.ts";
import { parseTopicName, TOPIC_FILE } from "../../../lib/pulsar/broker/topic_name.ts";
import { SimDisk } from "./_sim_disk.ts";

const placeOn = (disk: SimDisk) =>
  ({ disk, durability: "fsync", crc32c: crc32cPortable, folder: "data" }) as const;
const NAMESPACE = "public/default";

Deno.test("Catalog.remove() with fsync is not undone by a power loss, nor done before the disk says so", async () => {
  const disk = new SimDisk(seededRandom(1));
  const catalog = new Catalog(placeOn(disk));
  const names = ["gone", "stays", "failed"].map((local) =>
    parseTopicName(`persistent://${NAMESPACE}/${local}`)
  );
  for (const name of names) {
    const folder = catalog.topicFolder(name);
    await writeDocument({ ...placeOn(disk), folder, name: TOPIC_FILE }, { name: name.full });
    catalog.add(name);
  }
  await catalog.remove(names[0]!);
  assert.deepEqual(new Catalog(placeOn(disk.afterPowerLoss())).topics(NAMESPACE), [
    names[2]!.full,
    names[1]!.full,
  ]);
  disk.syncing = () => Promise.reject(new Error("Input/output error (os error 5)"));
  await assert.rejects(catalog.remove(names[2]!), { code: "disk_error" });
});

Deno.test("Catalog keeps partitioned topics, namespaces and what topics have differently over a power loss, and nothing that was removed", async () => {
  const disk = new SimDisk(seededRandom(1));
  const catalog = new Catalog(placeOn(disk));
  const [gone, stays] = ["gone", "stays"].map((local) =>
    parseTopicName(`persistent://${NAMESPACE}/${local}`)
  );
  for (const name of [gone!, stays!]) {
    await catalog.setPartitions(name, 2);
    await catalog.putTopicPolicies(name.full, { maxProducers: 1 });
  }
  await catalog.putNamespace("public/gone");
  await catalog.putNamespace("public/stays");
  await catalog.removePartitioned(gone!);
  await catalog.putTopicPolicies(gone!.full, {});
  await catalog.deleteNamespace("public/gone");
  const next = new Catalog(placeOn(disk.afterPowerLoss()));
  assert.deepEqual(next.partitioned(NAMESPACE), [stays!.full]);
  assert.deepEqual(next.topicPolicies(gone!.full), {});
  assert.deepEqual(next.topicPolicies(stays!.full), { maxProducers: 1 });
  assert.deepEqual(next.namespaces("public"), [NAMESPACE, "public/stays"]);
});
