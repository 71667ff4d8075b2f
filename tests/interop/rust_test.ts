/** The Rust client (crate `pulsar`) on a real Pulsar and on the embedded broker. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { startBroker } from "../../lib/pulsar/mod.ts";
import { interopServers } from "./harness.ts";

const SOURCES = join(import.meta.dirname!, "drivers", "rust");
const BUILD = join(import.meta.dirname!, "..", "..", ".data", "infra", "rust");
const BEHAVIOURS = [
  ...["batch_none", "batch_lz4", "batch_zlib", "batch_zstd", "batch_snappy"],
  ...["shared", "nack", "key_shared", "reader", "seek_time", "dead_letter"],
];

async function output(program: string, args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args }).output();
  const decoder = new TextDecoder();
  assert.ok(success, `${program}: ${decoder.decode(stderr)}`);
  return decoder.decode(stdout);
}

/** The program of the Rust client. The sources are copied, so that cargo writes nothing beside them. */
async function built(): Promise<string> {
  await Deno.mkdir(join(BUILD, "src"), { recursive: true });
  for (const file of ["Cargo.toml", join("src", "main.rs")]) {
    await Deno.copyFile(join(SOURCES, file), join(BUILD, file));
  }
  await output("cargo", ["build", "--quiet", "--manifest-path", join(BUILD, "Cargo.toml")]);
  return join(BUILD, "target", "debug", "rust-client");
}

async function assertBehaves(serviceUrl: string): Promise<void> {
  const run = crypto.randomUUID().slice(0, 8);
  const text = await output(await built(), [serviceUrl, run]);
  assert.deepEqual(text.trim().split("\n"), BEHAVIOURS.map((name) => `${name} ok`));
}

Deno.test("the Rust client finds on a real Pulsar what it expects", async () => {
  await assertBehaves(interopServers().plain.serviceUrl);
});

Deno.test("the Rust client finds the same on the embedded broker", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await using broker = await startBroker({ folder });
    await assertBehaves(broker.url);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
