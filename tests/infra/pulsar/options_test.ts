import assert from "node:assert/strict";
import { UsageError } from "../../../lib/base/mod.ts";
import {
  parseDown,
  parseUp,
  PULSAR_VERSION,
  type PulsarOptions,
} from "../../../infra/pulsar/options.ts";

function parsed(...args: string[]): PulsarOptions {
  const options = parseUp(args);
  assert(options !== "help");
  return options;
}

function refusal(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    assert(error instanceof UsageError, String(error));
    return `${error.message}; ${error.cure ?? ""}`;
  }
  throw new Error("nothing was refused");
}

Deno.test("parseUp() takes the ports that Pulsar's users know", () => {
  const options = parsed();
  assert.equal(options.port, 6650);
  assert.equal(options.adminPort, 8080);
  assert.equal(options.waitMs, 120_000);
  assert.equal(options.tokenSecretFile, undefined);
  assert.equal(options.journalSync, false);
  assert.match(options.dataDir, /^\/.*\.data\/infra\/pulsar$/);
});

Deno.test("parseUp() takes every flag", () => {
  const options = parsed(
    ...["--port", "0", "--admin-port=18080", "--data", "/srv/p", "--token-secret", "/srv/key"],
    ...["--journal-sync", "--heap", "512M", "--wait", "1m30s", "--json"],
    ...["--conf", "a=1", "--conf", "b=x=y"],
  );
  assert.deepEqual(options, {
    port: 0,
    adminPort: 18080,
    dataDir: "/srv/p",
    tokenSecretFile: "/srv/key",
    journalSync: true,
    conf: { a: "1", b: "x=y" },
    heapSize: "512m",
    waitMs: 90_000,
    json: true,
  });
});

Deno.test("parseUp() makes paths absolute, as the server has another working directory", () => {
  assert.equal(parsed("--data", "here").dataDir, `${Deno.cwd()}/here`);
  assert.equal(parsed("--token-secret", "key").tokenSecretFile, `${Deno.cwd()}/key`);
});

Deno.test("parseUp() and parseDown() return help", () => {
  assert.equal(parseUp(["--help"]), "help");
  assert.equal(parseDown(["--help"]), "help");
});

Deno.test("parseUp() names the flag, its value and what was expected", () => {
  const cases: [string[], RegExp][] = [
    [["--port", "abc"], /--port "abc": expected a port from 0 to 65535/],
    [["--port", "65536"], /--port "65536"/],
    [["--port", ""], /--port ""/],
    [["--admin-port", "-1"], /admin-port/],
    [["--admin-port", "1.5"], /--admin-port "1.5"/],
    [["--port", "7000", "--admin-port", "7000"], /both 7000/],
    [["--heap", "lots"], /--heap "lots": expected e.g. 512m/],
    [["--heap", "0g"], /--heap "0g"/],
    [["--wait", "soon"], /--wait "soon": expected e.g. 90s/],
    [["--conf", "nonsense"], /--conf "nonsense": expected KEY=VALUE/],
    [["--speed", "9"], /Unknown option '--speed'.*known are --port --admin-port/],
    [["--port"], /--port.*argument missing/],
    [["stray"], /Unexpected argument 'stray'/],
  ];
  for (const [args, expected] of cases) {
    assert.match(refusal(() => parseUp(args)), expected, args.join(" "));
  }
});

Deno.test("parseDown() takes every flag", () => {
  assert.deepEqual(parseDown(["--data", "/srv/p", "--delete", "--wait", "5s"]), {
    dataDir: "/srv/p",
    deleteData: true,
    waitMs: 5_000,
  });
  assert.match(refusal(() => parseDown(["--port", "1"])), /known are --data --delete --wait/);
});

Deno.test("PULSAR_VERSION is the version of pom.xml and of compose.yaml", async () => {
  const pom = await Deno.readTextFile(new URL("../../../infra/pulsar/pom.xml", import.meta.url));
  assert.equal(/<pulsar.version>(.*)<\/pulsar.version>/.exec(pom)?.[1], PULSAR_VERSION);
  const compose = await Deno.readTextFile(
    new URL("../../../infra/compose.yaml", import.meta.url),
  );
  assert.equal(/image: apachepulsar\/pulsar:(.*)/.exec(compose)?.[1], PULSAR_VERSION);
});

Deno.test("compose.yaml binds every port to loopback", async () => {
  const compose = await Deno.readTextFile(
    new URL("../../../infra/compose.yaml", import.meta.url),
  );
  const ports = compose.split("\n").filter((line) => /^\s+- .*\d+:\d+$/.test(line));
  assert.equal(ports.length, 4);
  for (const line of ports) assert.match(line, /- 127\.0\.0\.1:\d+:\d+$/);
});
