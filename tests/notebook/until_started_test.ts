import assert from "node:assert/strict";
import { FakeClock } from "../../lib/base/mod.ts";
import { untilStarted } from "../../lib/notebook/until_started.ts";

const FOLDER = "the folder";

/** A clock on which nothing takes time but sleeping. */
class SleepingClock extends FakeClock {
  #nowUs = 0;

  override monoUs(): number {
    return this.#nowUs;
  }

  override sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    this.#nowUs += delayMs * 1000;
    return Promise.resolve();
  }
}

/** A run that says each text at its second, and is started, ended or given up at one. */
function waitFor(
  says: Readonly<Record<number, string>>,
  at: { readonly startedSec?: number; readonly endedSec?: number; readonly stoppedSec?: number },
) {
  const clock = new SleepingClock();
  const stopping = new AbortController();
  const shown: string[] = [];
  const isPast = (sec = Infinity) => clock.monoUs() / 1e6 >= sec;
  const started = untilStarted({
    runId: "run-1",
    hasEnded: () => isPast(at.endedSec),
    words: () => {
      if (isPast(at.stoppedSec)) stopping.abort(new Error("stopped"));
      const said = Object.entries(says).filter(([sec]) => isPast(Number(sec))).at(-1);
      return Promise.resolve(said?.[1] ?? "");
    },
    started: () => Promise.resolve(isPast(at.startedSec) ? FOLDER : undefined),
  }, {
    clock,
    display: {
      update: (picture) => {
        shown.push(picture["text/plain"]);
        return Promise.resolve();
      },
    },
    signal: stopping.signal,
  });
  return { started, shown };
}

Deno.test("untilStarted() says nothing of a start that is quick", async () => {
  const { started, shown } = waitFor({ 0: "starting broker" }, { startedSec: 2 });
  assert.equal(await started, FOLDER);
  assert.deepEqual(shown, []);
});

Deno.test("untilStarted() waits for a download as long as it is said to go on, and shows it", async () => {
  const says = Object.fromEntries(
    Array.from({ length: 200 }, (_, i) => [i * 10, `still downloading, ${i * 10} s so far`]),
  );
  const { started, shown } = waitFor(says, { startedSec: 1990 });
  assert.equal(await started, FOLDER);
  assert.equal(shown[0], "run-1: still downloading, 0 s so far");
  assert.equal(shown[100], "run-1: still downloading, 1000 s so far");
  assert.match(shown.at(-1)!, /^run-1: started after 33m10s$/);
});

Deno.test("untilStarted() gives up a runner that has said nothing for five minutes", async () => {
  const { started } = waitFor({ 0: "starting broker" }, {});
  await assert.rejects(started, /said nothing for 5m/);
});

Deno.test("untilStarted() tells what a runner said before it ended", async () => {
  const words = "Cannot connect to pulsar://127.0.0.1:1";
  const { started } = waitFor({ 1: words }, { endedSec: 1 });
  await assert.rejects(started, { code: "not_started", message: `Cannot start the run: ${words}` });
});

Deno.test("untilStarted() ends with Stop", async () => {
  const { started } = waitFor({}, { stoppedSec: 1 });
  await assert.rejects(started, /stopped/);
});

Deno.test("untilStarted() takes what a runner wrote before it ended, however short it was", async () => {
  let hasEnded = false;
  const folder = await untilStarted({
    runId: "run-1",
    hasEnded: () => hasEnded,
    words: () => Promise.resolve(""),
    // It starts and ends just after it was looked for.
    started: () => Promise.resolve(hasEnded ? FOLDER : void (hasEnded = true)),
  }, {
    clock: new SleepingClock(),
    display: { update: () => Promise.resolve() },
    signal: new AbortController().signal,
  });
  assert.equal(folder, FOLDER);
});
