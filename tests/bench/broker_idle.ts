/**
 * What the embedded broker costs a laptop or a CI job that only wants one: memory when nothing happens, time to the first receipt, time to
 * come back with a large log, memory and files for many topics and connections.
 *
 *     deno task bench:broker-idle [--gibibytes 10] [--topics 10000] [--connections 1000]
 *
 * Three samples each but for the large log; the median is printed. Wall times depend on what else the machine does.
 *
 * @module
 */
import { formatBytes, utf8 } from "../../lib/base/mod.ts";
import { RawClient, sendFrame } from "../pulsar/broker/_raw_client.ts";
import { taskCall } from "../task_flags.ts";

const SCRIPT = new URL("../../jobs/broker.ts", import.meta.url).pathname;
const FLAGS = ["run", "--allow-net=127.0.0.1", "--allow-read", "--allow-write", "--allow-env"];
const SAMPLES = 3;
const SETTLE_MS = 2000;
/** Of one entry of the large log: a large batch. */
const ENTRY_BYTES = 1024 * 1024;

interface Ready {
  readonly port: number;
  readonly adminUrl: string;
}

interface Running extends Ready {
  readonly process: Deno.ChildProcess;
  readonly startedAtMs: number;
  end(): Promise<void>;
}

async function start(folder: string): Promise<Running> {
  const startedAtMs = performance.now();
  const process = new Deno.Command(Deno.execPath(), {
    args: [...FLAGS, SCRIPT, "--port=0", "--admin-port=0", `--data=${folder}`],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("\n")) {
    const { value, done } = await reader.read();
    if (done) throw new Error("the broker has ended");
    text += value;
  }
  await reader.cancel();
  const end = async () => {
    process.kill("SIGTERM");
    await process.status;
  };
  return { ...JSON.parse(text.split("\n")[0]!) as Ready, process, startedAtMs, end };
}

async function residentBytes(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return 1024 * Number(/VmRSS:\s+(\d+)/.exec(status)![1]);
}

async function openFiles(pid: number): Promise<number> {
  let count = 0;
  for await (const _ of Deno.readDir(`/proc/${pid}/fd`)) count++;
  return count;
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function median(sample: () => Promise<number>): Promise<number> {
  const values: number[] = [];
  for (let i = 0; i < SAMPLES; i++) values.push(await sample());
  return values.sort((a, b) => a - b)[Math.floor(SAMPLES / 2)]!;
}

async function emptyProcess(): Promise<number> {
  const args = ["eval", "setInterval(() => {}, 1000)"];
  const process = new Deno.Command(Deno.execPath(), { args, stdin: "null" }).spawn();
  await sleep(SETTLE_MS);
  const bytes = await residentBytes(process.pid);
  process.kill("SIGTERM");
  await process.status;
  return bytes;
}

async function withFolder<T>(action: (folder: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "weir-bench-" });
  try {
    return await action(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function idle(): Promise<number> {
  return await withFolder(async (folder) => {
    const broker = await start(folder);
    await sleep(SETTLE_MS);
    const bytes = await residentBytes(broker.process.pid);
    await broker.end();
    return bytes;
  });
}

/** From the start of the process to the receipt of one message. */
async function firstReceiptMs(folder: string): Promise<number> {
  const broker = await start(folder);
  await using client = await RawClient.connect(broker.port);
  const topic = "persistent://public/default/large";
  // Counted on from there, or it would pass for a duplicate.
  await client.produce(topic, { producerName: `bench-${broker.port}-${broker.process.pid}` });
  await client.publish(0, "x");
  const ms = performance.now() - broker.startedAtMs;
  await broker.end();
  return ms;
}

async function fill(folder: string, bytes: number): Promise<void> {
  const broker = await start(folder);
  await using client = await RawClient.connect(broker.port);
  await client.produce("persistent://public/default/large");
  await client.subscribe("persistent://public/default/large", { subscription: "keeps it" });
  const payload = crypto.getRandomValues(new Uint8Array(65_536));
  const large = new Uint8Array(ENTRY_BYTES);
  for (let at = 0; at < large.length; at += payload.length) large.set(payload, at);
  const count = Math.ceil(bytes / ENTRY_BYTES);
  const ahead = 32;
  for (let i = 0; i < count + ahead; i++) {
    if (i >= ahead) await client.expect("SEND_RECEIPT");
    if (i < count) await client.write(sendFrame({ sequenceId: i, payload: large }));
  }
  await broker.end();
}

interface Crowd {
  readonly bytes: number;
  readonly files: number;
}

async function crowd(topics: number, connections: number): Promise<Crowd> {
  return await withFolder(async (folder) => {
    const broker = await start(folder);
    const { pid } = broker.process;
    const clients: RawClient[] = [];
    for (let i = 0; i < connections; i++) clients.push(await RawClient.connect(broker.port));
    await using client = await RawClient.connect(broker.port);
    for (let i = 0; i < topics; i++) {
      const topic = `persistent://public/default/t-${i}`;
      await client.produce(topic, { producerId: i, producerName: `p-${i}` });
      await client.write(sendFrame({ producerId: i, sequenceId: 0, payload: utf8("x") }));
      await client.expect("SEND_RECEIPT");
    }
    const result = { bytes: await residentBytes(pid), files: await openFiles(pid) };
    for (const one of clients) await one[Symbol.asyncDispose]();
    await broker.end();
    return result;
  });
}

function say(what: string, figure: string): void {
  console.log(`${what.padEnd(58)} ${figure}`);
}

const HELP = `What the embedded broker costs when it idles, starts, comes back and is crowded.

  deno task bench:broker-idle [flags]

  --gibibytes N     log to come back with (default 10); as much disk is taken
  --topics N        topics that are written to (default 10000)
  --connections N   open at the same time (default 1000)
  --help`;

async function main(): Promise<void> {
  const count = { kind: "count", min: 1, help: "" } as const;
  const { flags } = taskCall({
    name: "bench:broker-idle",
    help: HELP,
    table: {
      gibibytes: { ...count, default: "10" },
      topics: { ...count, default: "10000" },
      connections: { ...count, default: "1000" },
    },
  });
  const { gibibytes, topics, connections } = flags;
  const empty = await median(emptyProcess);
  const used = await median(idle);
  say("an empty Deno process", formatBytes(empty));
  say("the broker, idle", `${formatBytes(used)}, ${formatBytes(used - empty)} more`);
  const first = await median(() => withFolder(firstReceiptMs));
  say("start of the process to the first receipt", `${first.toFixed(0)} ms`);
  const crowded = await crowd(topics, connections);
  say(
    `${topics} topics written to and ${connections} connections`,
    `${formatBytes(crowded.bytes)}, ${crowded.files} files and sockets open`,
  );
  await withFolder(async (folder) => {
    await fill(folder, gibibytes * 1024 ** 3);
    const again = await firstReceiptMs(folder);
    say(`start to the first receipt with a log of ${gibibytes} GiB`, `${again.toFixed(0)} ms`);
  });
}

if (import.meta.main) await main();
