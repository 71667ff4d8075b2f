import assert from "node:assert/strict";
import { parseUp, type PulsarOptions } from "../../infra/pulsar/options.ts";
import { bringPulsarDown, bringPulsarUp, findPulsar } from "../../infra/pulsar/server.ts";
import { signToken } from "../../infra/token.ts";
import { admin, interopServers } from "./harness.ts";

const NEVER = new AbortController().signal;

function optionsFor(dataDir: string, ...flags: string[]): PulsarOptions {
  const options = parseUp([
    ...["--port", "0", "--admin-port", "0", "--heap", "512m"],
    ...["--data", dataDir, ...flags],
  ]);
  assert(options !== "help");
  return options;
}

/** 127.0.0.1 as the kernel writes it, and as an address of IPv6. */
const LOOPBACK = /^(0{16}FFFF0000)?0100007F$/;
const STATE_LISTENS = "0A";

/** The addresses that a process listens on, from /proc. */
async function listeningAddresses(pid: number): Promise<string[]> {
  const inodes = new Set<string>();
  for await (const { name } of Deno.readDir(`/proc/${pid}/fd`)) {
    const target = await Deno.readLink(`/proc/${pid}/fd/${name}`).catch(() => "");
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
    if (inode !== undefined) inodes.add(inode);
  }
  const tables = ["/proc/net/tcp", "/proc/net/tcp6"].map((file) => Deno.readTextFile(file));
  const rows = (await Promise.all(tables)).flatMap((table) => table.trim().split("\n").slice(1));
  return rows.map((row) => row.trim().split(/\s+/))
    .filter((row) => row[3] === STATE_LISTENS && inodes.has(row[9]!))
    .map((row) => row[1]!.split(":")[0]!);
}

Deno.test("bringPulsarUp() gives a server that listens on loopback only and keeps its data over kill -9", async (t) => {
  const dataDir = await Deno.makeTempDir();
  const said: string[] = [];
  const say = (line: string) => said.push(line);
  try {
    const server = await bringPulsarUp(optionsFor(dataDir), say, NEVER);
    const topic = "persistent/public/default/kept/partitions";
    assert.equal(
      (await admin(server.adminUrl, { method: "PUT", path: topic, body: 2 })).status,
      204,
    );

    await t.step("it listens on loopback only", async () => {
      const addresses = await listeningAddresses(server.pid);
      assert(addresses.length >= 2, `it listens on ${addresses.length} addresses`);
      for (const address of addresses) assert.match(address, LOOPBACK);
    });
    await t.step("a second call leaves it alone", async () => {
      const again = await bringPulsarUp(optionsFor(dataDir), say, NEVER);
      assert.equal(again.pid, server.pid);
      assert.match(said.at(-1)!, /is up already/);
    });
    await t.step("a second call with other options is refused, and says which", async () => {
      await assert.rejects(
        bringPulsarUp(optionsFor(dataDir, "--journal-sync"), say, NEVER),
        /in use by a server with --journal-sync not given \(pid \d+\)/,
      );
    });
    await t.step("what it has stored is there after kill -9", async () => {
      Deno.kill(server.pid, "SIGKILL");
      while (await findPulsar(dataDir) !== undefined);
      const next = await bringPulsarUp(optionsFor(dataDir), say, NEVER);
      assert.notEqual(next.pid, server.pid);
      const { text } = await admin(next.adminUrl, { method: "GET", path: topic });
      assert.equal(JSON.parse(text).partitions, 2);
    });
  } finally {
    assert.equal(await bringPulsarDown({ dataDir, deleteData: true, waitMs: 30_000 }, say), true);
  }
  assert.match(said.at(-1)!, /has ended/);
  await assert.rejects(Deno.stat(dataDir), Deno.errors.NotFound);
});

Deno.test("bringPulsarUp() shows the last words of a server that dies at start", async () => {
  const dataDir = await Deno.makeTempDir();
  const said: string[] = [];
  try {
    const options = optionsFor(dataDir, "--conf", "managedLedgerDefaultEnsembleSize=many");
    await assert.rejects(
      bringPulsarUp(options, (line) => said.push(line), NEVER),
      /it ended while it was starting/,
    );
    assert.match(said.join("\n"), /\| .*For input string: "many"/);
    assert.equal(await findPulsar(dataDir), undefined);
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});

Deno.test("bringPulsarUp() ends the server that it was starting when it is interrupted", async () => {
  const dataDir = await Deno.makeTempDir();
  const abort = new AbortController();
  const interrupted = new Error("interrupted");
  // The first line is said when the process has been started.
  const starting = bringPulsarUp(optionsFor(dataDir), () => abort.abort(interrupted), abort.signal);
  try {
    await assert.rejects(starting, interrupted);
    assert.equal(await findPulsar(dataDir), undefined);
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});

Deno.test("a server with --token-secret takes tokens of its secret and no others", async () => {
  const { token: server } = interopServers();
  const secret = await Deno.readFile(server.tokenSecretFile!);
  const status = async (token?: string) =>
    (await admin(server.adminUrl, {
      method: "GET",
      path: "tenants",
      ...(token === undefined ? {} : { token }),
    })).status;
  assert.equal(await status(), 401);
  assert.equal(await status(await signToken(new Uint8Array(32), "admin")), 401);
  // Known but without rights: Pulsar answers 401, not 403.
  assert.equal(await status(await signToken(secret, "nobody")), 401);
  assert.equal(await status(await signToken(secret, "admin")), 200);
});

Deno.test("broker deduplication is off, as a real Pulsar has it by default", async () => {
  const { plain } = interopServers();
  const { text } = await admin(plain.adminUrl, {
    method: "GET",
    path: "brokers/configuration/runtime",
  });
  const configuration = JSON.parse(text);
  assert.equal(configuration.brokerDeduplicationEnabled, "false");
  assert.equal(configuration.schemaCompatibilityStrategy, "FULL");
  assert.equal(configuration.acknowledgmentAtBatchIndexLevelEnabled, "true");
});
