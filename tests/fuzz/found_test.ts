import assert from "node:assert/strict";
import { foundInputs, replay } from "./found_inputs.ts";

for (const { name, sessions } of foundInputs()) {
  Deno.test(`the broker stands what the fuzzer found in ${name}`, async () => {
    assert.equal((await replay(sessions))?.fault, undefined);
  });
}

Deno.test("replay() finds a broker that forgets what it has acknowledged", async () => {
  // What the judge must be able to see: without this test its silence would mean nothing.
  const folder = await Deno.makeTempDir({ prefix: "weir-fuzz-" });
  let isWiped = false;
  const finding = await replay([], {
    folder,
    beforeRestart: async () => {
      for await (const { name } of Deno.readDir(folder)) {
        await Deno.remove(`${folder}/${name}`, { recursive: true });
        isWiped = true;
      }
    },
  });
  await Deno.remove(folder, { recursive: true });
  assert.equal(isWiped, true);
  assert.match(finding?.fault ?? "", /healthy/);
});
