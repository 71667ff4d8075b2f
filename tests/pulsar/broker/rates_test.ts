import assert from "node:assert/strict";
import { Rates, ratesOf } from "../../../lib/pulsar/broker/rates.ts";

const SECOND_US = 1e6;

Deno.test("Rates.sample() comes near a steady rate within half a minute, whatever the time between two looks", () => {
  for (const stepUs of [SECOND_US, 2.5 * SECOND_US]) {
    const rates = new Rates();
    for (let nowUs = 0; nowUs <= 75 * SECOND_US; nowUs += stepUs) {
      rates.sample({ messagesIn: 400 * nowUs / SECOND_US, bytesIn: 7 }, nowUs);
    }
    const { messagesIn, bytesIn, messagesOut } = rates.perSec;
    assert.ok(Math.abs(messagesIn - 400) < 20, `${messagesIn} of 400 a second`);
    assert.ok(bytesIn < 0.1, `${bytesIn}: nothing came since the first look`);
    assert.equal(messagesOut, 0, "not counted");
  }
});

Deno.test("Rates.sample() passes over a look at the same instant", () => {
  const rates = new Rates();
  rates.sample({ messagesAcked: 10 }, 0);
  rates.sample({ messagesAcked: 90 }, 0);
  assert.equal(rates.perSec.messagesAcked, 1);
  rates.sample({ messagesAcked: 90 }, SECOND_US);
  assert.ok(rates.perSec.messagesAcked > 8);
});

Deno.test("ratesOf() keeps each apart", () => {
  const [one, other] = [{}, {}];
  ratesOf(one).sample({ messagesOut: 50 }, 0);
  assert.equal(ratesOf(one).perSec.messagesOut, 5);
  assert.equal(ratesOf(other).perSec.messagesOut, 0);
});
