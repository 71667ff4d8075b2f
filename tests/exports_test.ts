/** What a program outside of this project can import. */
import assert from "node:assert/strict";
import { cpSync } from "node:fs";
import { join } from "node:path";
import * as avro from "weir/avro";
import * as contract from "weir/contract";
import * as pulsar from "weir/pulsar";

const ROOT = join(import.meta.dirname!, "..");
const CONFIG = JSON.parse(Deno.readTextFileSync(join(ROOT, "deno.json")));

const SERVICE = `
import { connectPulsar, PulsarError, schema, startBroker } from "weir/pulsar";
import type { Message, PulsarClientOptions } from "weir/pulsar";
import { END_MARKER_PROPERTY } from "weir/contract";
import * as avro from "weir/avro";
const folder = await Deno.makeTempDir();
await using broker = await startBroker({ folder });
const options: PulsarClientOptions = { serviceUrl: broker.url };
await using client = await connectPulsar(options);
await using producer = await client.openProducer({ topic: "t", schema: schema.string() });
const sent = { topic: "t", subscription: "s", initialPosition: "earliest", schema: schema.string() } as const;
await using consumer = await client.openConsumer(sent);
await producer.send({ value: "hello" });
const message: Message<string> = await consumer.receive();
const refused = await client.openProducer({ topic: "a/b" }).catch((error) => error instanceof PulsarError);
console.log(message.value, refused, END_MARKER_PROPERTY.length > 0, Object.keys(avro).length > 0);
`;

Deno.test("deno.json exports what a service imports, under the same names within the project", () => {
  const { exports, imports } = CONFIG;
  for (const [path, file] of Object.entries<string>(exports)) {
    assert.equal(imports[path.replace(/^\./, "weir")], file);
    assert.ok(Deno.statSync(join(ROOT, file)).isFile);
  }
  assert.equal(typeof pulsar.connectPulsar, "function");
  assert.equal(typeof contract.END_MARKER_PROPERTY, "string");
  assert.ok(Object.keys(avro).length > 0);
});

Deno.test("a service in the same workspace produces and consumes through weir/pulsar", async () => {
  const folder = await Deno.makeTempDir({ prefix: "weir-exports-" });
  try {
    const [weir, service] = [join(folder, "weir"), join(folder, "service")];
    cpSync(join(ROOT, "lib"), join(weir, "lib"), { recursive: true });
    // These two belong to a workspace as a whole.
    const { lock: _, nodeModulesDir: __, ...member } = CONFIG;
    const write = (path: string, value: object) =>
      Deno.writeTextFile(join(folder, path), JSON.stringify(value));
    await write("weir/deno.json", member);
    await write("deno.json", { workspace: ["./weir", "./service"] });
    await Deno.mkdir(service);
    await write("service/deno.json", { name: "service", version: "0.0.1", exports: "./main.ts" });
    await Deno.writeTextFile(join(service, "main.ts"), SERVICE);
    const output = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--check", "--allow-all", "service/main.ts"],
      cwd: folder,
      stdout: "piped",
      stderr: "piped",
    }).output();
    const decoder = new TextDecoder();
    assert.equal(output.code, 0, decoder.decode(output.stderr));
    assert.equal(decoder.decode(output.stdout).trim(), "hello true true true");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
