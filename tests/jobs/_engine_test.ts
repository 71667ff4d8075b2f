import assert from "node:assert/strict";
import { cachedEngineFolder, cacheFolders, download, lastCause } from "../../jobs/_engine.ts";

const ROOT = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");
const ENGINE = { name: "@chdb/lib-x", version: "1.2.3", specifier: "npm:@chdb/lib-x@1.2.3" };

Deno.test("cacheFolders() names folders of this Deno's cache", async () => {
  const { denoDir, npmCache } = await cacheFolders();
  assert.ok(npmCache.startsWith(denoDir), `${npmCache} is not in ${denoDir}`);
});

Deno.test("cachedEngineFolder() finds the version that is loaded, from any registry, and no other", async () => {
  const npmCache = await Deno.makeTempDir({ prefix: "weir-test-cache-" });
  try {
    assert.equal(await cachedEngineFolder(ENGINE, `${npmCache}/missing`), undefined);
    await Deno.mkdir(`${npmCache}/one.example/@chdb/lib-x/1.2.2`, { recursive: true });
    assert.equal(await cachedEngineFolder(ENGINE, npmCache), undefined);
    const folder = `${npmCache}/two.example/@chdb/lib-x/1.2.3`;
    await Deno.mkdir(folder, { recursive: true });
    assert.equal(await cachedEngineFolder(ENGINE, npmCache), folder);
  } finally {
    await Deno.remove(npmCache, { recursive: true });
  }
});

Deno.test("lastCause() gives Deno's error and what is behind it, without the backtrace", () => {
  const text = `Download https://a.example/x
error: Failed caching npm package 'x'

Caused by:
    0: error sending request
    1: invalid peer certificate: UnknownIssuer

Stack backtrace:
   0: <unknown>`;
  assert.equal(
    lastCause(text),
    "Failed caching npm package 'x': invalid peer certificate: UnknownIssuer",
  );
  assert.equal(lastCause("error: no network\n"), "no network");
  assert.equal(lastCause("killed"), "killed");
  assert.equal(lastCause(""), "nothing was said");
});

Deno.test("download() fails with Deno's own reason when there is no way to the registry", async () => {
  const folder = await Deno.makeTempDir({ prefix: "weir-test-cache-" });
  try {
    const downloading = download(["npm:snappyjs@0.7.0"], `${folder}/deno.lock`, {
      root: ROOT,
      say: () => {},
      isTerminal: false,
      signal: new AbortController().signal,
      // Port 1 refuses; the proxy is asked for every host.
      environment: { DENO_DIR: folder, HTTPS_PROXY: "http://127.0.0.1:1", NO_PROXY: "" },
    });
    await assert.rejects(downloading, /snappyjs.*(refused|connect)/i);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("download() ends with the signal's reason", async () => {
  const reason = new Error("Ctrl-C");
  const options = { root: ROOT, say: () => {}, isTerminal: false };
  const downloading = download(["npm:snappyjs@0.7.0"], "x.lock", {
    ...options,
    signal: AbortSignal.abort(reason),
  });
  await assert.rejects(downloading, reason);
});
