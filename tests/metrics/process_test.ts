import assert from "node:assert/strict";
import { FakeClock } from "../../lib/base/mod.ts";
import {
  measureEventLoop,
  METRIC,
  MetricRegistry,
  parseExposition,
  processCpuSec,
  registerProcess,
} from "../../lib/metrics/mod.ts";

Deno.test("registerProcess() exposes CPU, memory and start under the usual names", () => {
  const registry = new MetricRegistry();
  registerProcess(registry, new FakeClock(1_760_000_000_000));
  const { values } = parseExposition(registry.expose());
  assert.equal(values[METRIC.processStart], 1_760_000_000);
  assert.ok(values[METRIC.processCpu]! > 0 && values[METRIC.processCpu]! < 3600);
  assert.ok(values[METRIC.processRss]! > 10e6 && values[METRIC.processRss]! < 100e9);
});

Deno.test("processCpuSec() grows by what a busy loop takes", () => {
  const before = processCpuSec();
  let sum = 0;
  while (processCpuSec() - before < 0.02) sum += Math.sqrt(sum + 1);
  assert.ok(processCpuSec() - before >= 0.02 && sum > 0);
});

Deno.test("processRssBytes() sees memory that is touched", async () => {
  // In a process of its own: others of this one's tests give memory back meanwhile.
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", new URL("_touch_memory.ts", import.meta.url).pathname],
  }).output();
  const grown = Number(new TextDecoder().decode(stdout));
  assert.ok(grown > 48 * 1024 * 1024 && grown < 256 * 1024 * 1024, `${grown} bytes are seen`);
});

Deno.test("measureEventLoop() tells the longest delay since it was asked, and forgets it", async () => {
  const clock = new SlowClock();
  const probe = measureEventLoop(clock);
  await clock.advance(100);
  assert.equal(probe.takeMaxUs(), 0);
  clock.heldUpUs = 70_000;
  await clock.advance(20);
  assert.equal(probe.takeMaxUs(), 70_000);
  clock.heldUpUs = 0;
  await clock.advance(40);
  assert.equal(probe.takeMaxUs(), 0);
  probe.stop();
  assert.equal(clock.pending, 0);
});

Deno.test("measureEventLoop() counts a hold-up that is still going on", () => {
  const clock = new SlowClock();
  const probe = measureEventLoop(clock);
  clock.heldUpUs = 500_000;
  assert.equal(probe.takeMaxUs(), 480_000);
});

/** A clock whose reading runs ahead of its timers, as in a process that was held up. */
class SlowClock extends FakeClock {
  heldUpUs = 0;

  override monoUs(): number {
    return super.monoUs() + this.heldUpUs;
  }
}
