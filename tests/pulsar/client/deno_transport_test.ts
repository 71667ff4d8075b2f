import assert from "node:assert/strict";
import { denoTransport } from "../../../lib/pulsar/client/deno_transport.ts";
import { PulsarError } from "../../../lib/pulsar/wire/mod.ts";
import { transportContract } from "./transport_contract.ts";

transportContract("denoTransport", denoTransport);

Deno.test("denoTransport() refuses to take any certificate, and says what to do", () => {
  assert.throws(
    () => denoTransport({ allowInsecure: true }),
    (error) =>
      error instanceof PulsarError && error.code === "not_supported" &&
      /unsafely-ignore-certificate-errors/.test(error.cure!),
  );
});
