import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { loadOrMakeSecret, signToken } from "../../infra/token.ts";

Deno.test("signToken() makes a token that another HMAC agrees with", async () => {
  const secret = new Uint8Array(32).map((_, i) => i);
  const token = await signToken(secret, "admin");
  const [header, payload, signature] = token.split(".");
  assert.deepEqual(JSON.parse(atob(header!)), { alg: "HS256" });
  assert.deepEqual(JSON.parse(atob(payload!)), { sub: "admin" });
  const expected = createHmac("sha256", secret).update(`${header}.${payload}`).digest("base64url");
  assert.equal(signature, expected);
});

Deno.test("loadOrMakeSecret() makes a secret for its owner only, and then keeps to it", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const file = `${folder}/keys/secret.key`;
    const made = await loadOrMakeSecret(file);
    assert.equal(made.length, 32);
    assert.deepEqual(await loadOrMakeSecret(file), made);
    if (Deno.build.os !== "windows") assert.equal((await Deno.stat(file)).mode! & 0o777, 0o600);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
