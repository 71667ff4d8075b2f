import assert from "node:assert/strict";
import { utf8 } from "../../lib/base/mod.ts";
import { RawClient, sendFrame } from "../pulsar/broker/_raw_client.ts";
import { SECRET, tokenOf } from "../pulsar/broker/_tokens.ts";

const SCRIPT = new URL("../../jobs/broker.ts", import.meta.url).pathname;
const TOPIC = "persistent://public/default/t";

interface Ready {
  readonly role: string;
  readonly ready: boolean;
  readonly pid: number;
  readonly port: number;
  readonly adminPort: number;
  readonly url: string;
  readonly adminUrl: string;
  readonly metricsUrl: string;
  readonly version: string;
}

interface Started {
  readonly ready: Ready;
  readonly process: Deno.ChildProcess;
}

function command(args: readonly string[], env: Record<string, string> = {}): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--allow-net=127.0.0.1",
      "--allow-read",
      "--allow-write",
      "--allow-env",
      SCRIPT,
      "--port=0",
      "--admin-port=0",
      ...args,
    ],
    env,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  });
}

async function start(args: readonly string[], env: Record<string, string> = {}): Promise<Started> {
  const process = command(args, env).spawn();
  const reader = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("\n")) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`it ended: ${await new Response(process.stderr).text()}`);
    text += value;
  }
  await reader.cancel();
  return { ready: JSON.parse(text.split("\n")[0]!), process };
}

async function stop({ process }: Started, signal: Deno.Signal): Promise<number> {
  process.kill(signal);
  await process.stdin.close();
  await process.stderr.cancel();
  return (await process.status).code;
}

Deno.test("jobs/broker.ts prints one ready line, answers, and ends cleanly on SIGTERM", async () => {
  const data = await Deno.makeTempDir();
  const started = await start([`--data=${data}`]);
  const { ready } = started;
  assert.equal(ready.role, "broker");
  assert.equal(ready.ready, true);
  assert.equal(ready.pid, started.process.pid);
  assert.equal(ready.url, `pulsar://127.0.0.1:${ready.port}`);
  assert.match(ready.version, /^weir-embedded-\d/);
  const metrics = await (await fetch(ready.metricsUrl)).text();
  assert.match(metrics, /^process_cpu_seconds_total [\d.]+$/m);
  assert.match(metrics, /^process_resident_memory_bytes \d{7,}$/m);
  assert.equal(await stop(started, "SIGTERM"), 0);
  await Deno.remove(data, { recursive: true });
});

Deno.test("jobs/broker.ts has every receipted message after kill -9, and each of them once", async () => {
  const data = await Deno.makeTempDir();
  let next = 0;
  let receipted = -1;
  for (let round = 0; round < 3; round++) {
    const started = await start([`--data=${data}`, "--segment-size=64KiB"]);
    const client = await RawClient.connect(started.ready.port);
    const created = await client.produce(TOPIC);
    assert.equal(created.type, "PRODUCER_SUCCESS");
    if (created.type === "PRODUCER_SUCCESS") {
      assert.ok(created.body.lastSequenceId! >= receipted, "a receipted message is gone");
      next = created.body.lastSequenceId! + 1;
    }
    for (let i = 0; i < 300; i++) {
      await client.write(sendFrame({ sequenceId: next, payload: utf8(`message-${next++}`) }));
    }
    // Killed in the middle of its answers: some messages have a receipt, some have none.
    for (let i = 0; i < 100; i++) receipted = (await client.expect("SEND_RECEIPT")).sequenceId;
    await stop(started, "SIGKILL");
    await client[Symbol.asyncDispose]();
  }
  const started = await start([`--data=${data}`]);
  await using client = await RawClient.connect(started.ready.port);
  const created = await client.produce(TOPIC);
  const last = created.type === "PRODUCER_SUCCESS" ? created.body.lastSequenceId! : -1;
  assert.ok(last >= receipted);
  await client.subscribe(TOPIC);
  await client.send("FLOW", { consumerId: 0, messagePermits: 10_000 });
  for (let i = 0; i <= last; i++) assert.equal((await client.message()).text, `message-${i}`);
  await stop(started, "SIGKILL");
  await Deno.remove(data, { recursive: true });
});

Deno.test("jobs/broker.ts takes a secret as a file or as base64, and lets its tokens in", async () => {
  const data = await Deno.makeTempDir();
  const file = `${data}/secret.key`;
  await Deno.writeFile(file, SECRET);
  for (
    const key of [file, `file://${file}`, SECRET.toBase64(), `data:;base64,${SECRET.toBase64()}`]
  ) {
    const started = await start([`--data=${data}`, "--token-secret-key", key, "--superuser=root"]);
    const url = `${started.ready.adminUrl}/admin/v2/tenants`;
    const ask = async (headers: Record<string, string>) => {
      const answer = await fetch(url, { headers });
      await answer.body?.cancel();
      return answer.status;
    };
    assert.equal(await ask({}), 401);
    assert.equal(await ask({ authorization: `Bearer ${await tokenOf("root")}` }), 200);
    await stop(started, "SIGTERM");
  }
  await Deno.remove(data, { recursive: true });
});

Deno.test("jobs/broker.ts under a runner ends when its input ends, and not on SIGINT", async () => {
  const data = await Deno.makeTempDir();
  const { ready, process } = await start([`--data=${data}`], { WEIR_SUPERVISED: "1" });
  process.kill("SIGINT");
  const answer = await fetch(`${ready.adminUrl}/admin/v2/brokers/health`);
  assert.equal(await answer.text(), "ok");
  await process.stdin.close();
  await process.stderr.cancel();
  assert.equal((await process.status).code, 0);
  await Deno.remove(data, { recursive: true });
});

Deno.test("jobs/broker.ts says in one line what is wrong and what to do, with exit code 2", async () => {
  const data = await Deno.makeTempDir();
  const started = await start([`--data=${data}`]);
  const cases: [string[], RegExp][] = [
    [[`--data=${data}`], /another broker is using it; end that broker/],
    [["--data=/proc/nothing"], /Cannot use data folder "\/proc\/nothing": [^,;]*; give --data/],
    [[`--port=${started.ready.port}`, `--data=${data}-2`], /the port is taken; .*--port/],
    [["--durability=maybe"], /--durability "maybe": expected os or fsync/],
    [["--token-file=/nothing"], /Cannot read --token-file/],
    [["--token-secret-key=/nothing"], /Cannot read --token-secret-key/],
    [["--token-secret-key", "c2hvcnQ="], /Cannot read --token-secret-key/],
    [["--token-secret-key", "a".repeat(49), "--superuser=a"], /its base64 is cut short/],
    [["--token-secret-key", SECRET.toBase64()], /no --superuser nobody could make a tenant/],
    [["--token-public-key", SCRIPT, "--superuser=a"], /Cannot use the token key/],
    [["--superuser=a"], /names a role, but nobody is asked who he is; give --token-secret-key/],
    [["--tls-cert", SCRIPT], /--tls-cert and --tls-key belong together/],
    [["--host=0.0.0.0"], /everybody who reaches it could do everything; ask clients for tokens/],
    [
      ["--host=0.0.0.0", "--token-secret-key", SECRET.toBase64(), "--superuser=a"],
      /this process may not; start it with --allow-net=0\.0\.0\.0/,
    ],
  ];
  for (const [args, expected] of cases) {
    const process = command(args).spawn();
    await process.stdin.close();
    const { code, stderr } = await process.output();
    const text = new TextDecoder().decode(stderr).trim();
    assert.match(text, expected);
    assert.deepEqual([code, text.split("\n").length], [2, 1]);
  }
  await stop(started, "SIGKILL");
  await Deno.remove(data, { recursive: true });
});
