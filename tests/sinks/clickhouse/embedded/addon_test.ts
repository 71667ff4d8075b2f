import assert from "node:assert/strict";
import {
  currentPlatform,
  engineLockPath,
  packageOf,
} from "../../../../lib/sinks/clickhouse/embedded/addon.ts";
import { EmbeddedError } from "../../../../lib/sinks/mod.ts";

const ROOT = new URL("../../../..", import.meta.url).pathname.replace(/\/$/, "");

Deno.test("packageOf() names the package of each platform that has one", () => {
  const of = (os: string, arch: string) => packageOf({ os, arch, isMusl: false });
  assert.equal(of("linux", "x86_64"), "@chdb/lib-linux-x64-gnu");
  assert.equal(of("linux", "aarch64"), "@chdb/lib-linux-arm64-gnu");
  assert.equal(of("darwin", "x86_64"), "@chdb/lib-darwin-x64");
  assert.equal(of("darwin", "aarch64"), "@chdb/lib-darwin-arm64");
});

Deno.test("packageOf() tells a platform without engine, and the way out", () => {
  for (
    const [platform, named] of [
      [{ os: "windows", arch: "x86_64", isMusl: false }, "windows x86_64"],
      [{ os: "linux", arch: "x86_64", isMusl: true }, "linux x86_64 with musl"],
      [{ os: "freebsd", arch: "x86_64", isMusl: false }, "freebsd x86_64"],
    ] as const
  ) {
    assert.throws(() => packageOf(platform), (error) => {
      assert.ok(error instanceof EmbeddedError);
      assert.equal(error.code, "unsupported_platform");
      assert.equal(
        error.message,
        `Cannot start the embedded ClickHouse: there is no chDB for ${named}`,
      );
      assert.match(error.cure!, /--clickhouse http/);
      return true;
    });
  }
});

Deno.test("engineLockPath() holds the engine's hash, and deno.lock does not hold the engine", async () => {
  const main = JSON.parse(await Deno.readTextFile(`${ROOT}/deno.lock`)).npm;
  const engine =
    JSON.parse(await Deno.readTextFile(engineLockPath(ROOT, "x86_64-unknown-linux-gnu"))).npm;
  const isEngine = (name: string) => name.startsWith("@chdb/");
  assert.deepEqual(Object.keys(main).filter(isEngine), []);
  assert.deepEqual(Object.keys(engine).filter(isEngine), [
    "@chdb/lib-linux-x64-gnu@26.7.3-stable.1",
  ]);
  assert.match(engine["@chdb/lib-linux-x64-gnu@26.7.3-stable.1"].integrity, /^sha512-/);
  for (const name of Object.keys(engine).filter((one) => !isEngine(one))) {
    assert.equal(
      engine[name].integrity,
      main[name]?.integrity,
      `${name}: run the job once and commit the lock`,
    );
  }
  assert.equal(currentPlatform().os, Deno.build.os);
});
