import assert from "node:assert/strict";
import { inspect } from "node:util";
import { Secret } from "../../lib/base/secret.ts";

Deno.test("Secret shows itself to nobody but reveal()", () => {
  const secret = new Secret("hunter2");
  assert.equal(secret.reveal(), "hunter2");
  const shown = [
    String(secret),
    `${secret}`,
    "" + secret,
    JSON.stringify({ secret, list: [secret] }),
    Deno.inspect(secret),
    Deno.inspect({ deep: { secret } }, { depth: 9, showHidden: true }),
    inspect({ deep: { secret } }, { depth: 9, showHidden: true }),
    Object.entries(secret).join(),
    JSON.stringify(Object.getOwnPropertyDescriptors(secret)),
    JSON.stringify({ ...secret }),
    new Error(`Cannot log in: ${secret}`).message,
  ];
  for (const text of shown) assert.ok(!text.includes("hunter2"), text);
  assert.equal(shown[0], "[secret]");
});
