/** The official admin client, command by command, against a real 4.2.4 and against the embedded broker. Needs a JDK. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { PULSAR_LIB_DIR } from "../../infra/pulsar/server.ts";
import { EmbeddedBroker } from "./embedded.ts";
import { interopServers } from "./harness.ts";

const SOURCE = join(import.meta.dirname!, "..", "..", "infra", "pulsar", "AdminScenarios.java");
/** What the program tries. */
const STEPS = 77;

async function assertAllWork(broker: { serviceUrl: string; adminUrl: string }): Promise<void> {
  const output = await new Deno.Command("java", {
    args: ["-cp", `${PULSAR_LIB_DIR}/*`, SOURCE, broker.serviceUrl, broker.adminUrl],
    stdout: "piped",
    stderr: "piped",
  }).output();
  const lines = new TextDecoder().decode(output.stdout).split("\n");
  const failed = lines.filter((line) => line.startsWith("FAILED "));
  assert.deepEqual(failed, []);
  const done = lines.filter((line) => line.startsWith("ok ")).length;
  assert.equal(done, STEPS, new TextDecoder().decode(output.stderr).slice(-2000));
}

Deno.test("the Java admin client does everything on a real Pulsar", async () => {
  await assertAllWork(interopServers().plain);
});

Deno.test("the Java admin client does everything on the embedded broker", async () => {
  await using broker = await EmbeddedBroker.start();
  await assertAllWork(broker);
});
