import assert from "node:assert/strict";
import { join } from "node:path";
import { findNativeClient } from "../../lib/notebook/find_native.ts";

Deno.test("findNativeClient() names the version that is there, else says how to get it", async () => {
  const folder = await Deno.makeTempDir();
  const missing = findNativeClient(folder);
  assert.equal(missing.isThere, false);
  assert.match(missing.text, /not installed in .*; run `npm install pulsar-client@/);
  const place = join(folder, "node_modules", "pulsar-client");
  await Deno.mkdir(place, { recursive: true });
  await Deno.writeTextFile(join(place, "package.json"), '{"version":"1.18.0","main":"index.js"}');
  await Deno.writeTextFile(join(place, "index.js"), "module.exports = {};");
  assert.deepEqual(findNativeClient(folder), {
    isThere: true,
    text: "npm:pulsar-client 1.18.0 is installed",
  });
  await Deno.remove(folder, { recursive: true });
});
