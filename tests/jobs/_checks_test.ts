import assert from "node:assert/strict";
import { type Check, checkLines, checkMachine, type Probes } from "../../jobs/_checks.ts";

const PRINTED: Readonly<Record<string, string>> = {
  node: "v22.1.0\n",
  java: 'openjdk version "17.0.15" 2025-04-15\n',
  mvn: "Apache Maven 3.9.6 (abc)\n",
};

/** A machine on which everything is right, but for what a test changes. */
function machine(changes: Partial<Probes> = {}): Probes {
  return {
    denoVersion: "2.9.6",
    platform: { os: "linux", arch: "x86_64", isMusl: false },
    cores: 4,
    memoryBytes: 8e9,
    availableMemoryBytes: 4e9,
    askPython: (command) =>
      Promise.resolve(
        command === "python3" ? { command, version: [3, 11], hasVenv: true } : undefined,
      ),
    run: (program) => Promise.resolve(PRINTED[program]),
    isPortFree: () => Promise.resolve(true),
    freeDiskBytes: () => Promise.resolve(50e9),
    cacheFolder: "/cache",
    isEngineCached: () => Promise.resolve(true),
    ...changes,
  };
}

async function check(name: string, changes: Partial<Probes>): Promise<Check> {
  const found = (await checkMachine(machine(changes))).find((one) => one.name === name);
  assert.ok(found, name);
  return found;
}

Deno.test("checkMachine() finds nothing wrong where nothing is", async () => {
  const checks = await checkMachine(machine());
  assert.deepEqual(checks.filter(({ status, cure }) => status !== "ok" || cure !== undefined), []);
  assert.deepEqual(checks.map(({ name }) => name), [
    ...["Deno", "Node", "Python", "Java", "memory", "cores"],
    ...["port 6650", "port 8080", "port 8123", "chDB", "disk", "cache"],
  ]);
});

Deno.test("checkMachine() names what keeps bench50k from running, with the cure", async () => {
  const disk = { freeDiskBytes: () => Promise.resolve(1e9) };
  const cases: [string, Partial<Probes>, RegExp][] = [
    ["Deno", { denoVersion: "2.8.9" }, /deno@2\.9\.6/],
    ["Deno", { denoVersion: "1.46.3" }, /deno upgrade/],
    ["memory", { memoryBytes: 1e9 }, /0\.8 GiB/],
    ["chDB", { platform: { os: "windows", arch: "x86_64", isMusl: false } }, /WSL.*--clickhouse/],
    ["chDB", { platform: { os: "linux", arch: "x86_64", isMusl: true } }, /glibc.*--clickhouse/],
    ["disk", disk, /2\.14 GiB|2\.3 GB|2\.1\d* GiB/],
  ];
  for (const [name, changes, cure] of cases) {
    const found = await check(name, changes);
    assert.equal(found.status, "missing", name);
    assert.match(found.cure ?? "", cure, name);
  }
  for (const denoVersion of ["2.9.0", "2.10.1", "3.0.0-rc.1"]) {
    assert.equal((await check("Deno", { denoVersion })).status, "ok", denoVersion);
  }
});

Deno.test("checkMachine() notes what only something else needs", async () => {
  const none = { run: () => Promise.resolve(undefined) };
  const taken = { isPortFree: (port: number) => Promise.resolve(port !== 8123) };
  const cases: [string, Partial<Probes>, RegExp][] = [
    ["Node", none, /npx/],
    ["Node", { run: () => Promise.resolve("v18.20.1\n") }, /20 or newer/],
    ["Python", { askPython: () => Promise.resolve(undefined) }, /python3-venv/],
    ["Java", none, /infra:up pulsar/],
    ["memory", { availableMemoryBytes: 5e8 }, /close programs/],
    ["cores", { cores: 1 }, /--rate/],
    ["port 8123", taken, /free ports/],
  ];
  for (const [name, changes, cure] of cases) {
    const found = await check(name, changes);
    assert.equal(found.status, "note", name);
    assert.match(found.cure ?? "", cure, name);
  }
  assert.equal((await check("port 6650", taken)).status, "ok");
});

Deno.test("checkMachine() counts the engine's download where it is not in the cache", async () => {
  const isEngineCached = () => Promise.resolve(false);
  const freeDiskBytes = () => Promise.resolve(2.5e9);
  assert.match((await check("chDB", { isEngineCached })).cure ?? "", /130 MB.*prefetch/);
  assert.equal((await check("disk", { freeDiskBytes })).status, "ok");
  assert.equal((await check("disk", { freeDiskBytes, isEngineCached })).status, "missing");
});

Deno.test("checkLines() is one line each, with the cure", () => {
  const lines = checkLines([
    { name: "Deno", status: "ok", found: "2.9.6" },
    { name: "disk", status: "missing", found: "1 GiB free", cure: "free some space" },
  ]);
  assert.deepEqual(lines, [
    "ok      Deno      2.9.6",
    "MISSING disk      1 GiB free; free some space",
  ]);
});
