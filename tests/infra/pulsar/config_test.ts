import assert from "node:assert/strict";
import {
  javaArguments,
  type PulsarConfig,
  renderStandaloneConf,
  serverMark,
} from "../../../infra/pulsar/config.ts";

const PLAIN: PulsarConfig = {
  port: 6650,
  adminPort: 8080,
  journalSync: false,
  auth: undefined,
  conf: {},
};

function keysOf(config: PulsarConfig): Map<string, string> {
  const lines = renderStandaloneConf(config).trimEnd().split("\n");
  const pairs = lines.map((line): [string, string] => {
    const at = line.indexOf("=");
    return [line.slice(0, at), line.slice(at + 1)];
  });
  assert.equal(new Set(pairs.map(([key]) => key)).size, pairs.length, "a key stands twice");
  return new Map(pairs);
}

Deno.test("renderStandaloneConf() keeps everything on loopback", () => {
  const keys = keysOf(PLAIN);
  assert.equal(keys.get("bindAddress"), "127.0.0.1");
  assert.equal(keys.get("advertisedAddress"), "127.0.0.1");
  assert.equal(keys.get("listeningInterface"), "lo");
  assert.equal(keys.get("allowLoopback"), "true");
});

Deno.test("renderStandaloneConf() says nothing of deduplication and schemas: the broker's defaults hold", () => {
  const text = renderStandaloneConf(PLAIN);
  assert.doesNotMatch(text, /dedup/i);
  assert.doesNotMatch(text, /schema/i);
});

Deno.test("renderStandaloneConf() follows ports and journal", () => {
  const keys = keysOf({ ...PLAIN, port: 16650, adminPort: 18080, journalSync: true });
  assert.equal(keys.get("brokerServicePort"), "16650");
  assert.equal(keys.get("webServicePort"), "18080");
  assert.equal(keys.get("journalSyncData"), "true");
  assert.equal(keysOf(PLAIN).get("journalSyncData"), "false");
});

Deno.test("renderStandaloneConf() asks for tokens only when it is told to", () => {
  assert.equal(keysOf(PLAIN).has("authenticationEnabled"), false);
  const keys = keysOf({ ...PLAIN, auth: { secretFile: "/srv/key", adminToken: "a.b.c" } });
  assert.equal(keys.get("authenticationEnabled"), "true");
  assert.equal(keys.get("authorizationEnabled"), "true");
  assert.equal(keys.get("tokenSecretKey"), "file:///srv/key");
  assert.equal(keys.get("superUserRoles"), "admin");
  assert.equal(keys.get("brokerClientAuthenticationParameters"), "token:a.b.c");
});

Deno.test("renderStandaloneConf() lets single keys win", () => {
  const keys = keysOf({ ...PLAIN, conf: { managedLedgerCacheSizeMB: "7", other: "x" } });
  assert.equal(keys.get("managedLedgerCacheSizeMB"), "7");
  assert.equal(keys.get("other"), "x");
});

Deno.test("javaArguments() marks the process with its data folder and gives direct memory twice the heap", () => {
  const paths = { libDir: "/lib", dataDir: "/srv/p", log4j2File: "/infra/log4j2.xml" };
  const args = javaArguments(paths, "512m");
  assert(args.includes(serverMark("/srv/p")));
  assert(!args.includes(serverMark("/srv/p2")));
  assert(args.includes("-Xmx512m"));
  assert(args.includes("-XX:MaxDirectMemorySize=1024m"));
  assert.equal(args[args.indexOf("-cp") + 1], "/lib/*");
  assert.equal(args[args.indexOf("--config") + 1], "/srv/p/standalone.conf");
  const main = args.indexOf("org.apache.pulsar.PulsarStandaloneStarter");
  assert(main > args.indexOf("-cp"));
  assert(main < args.indexOf("--config"));
});
