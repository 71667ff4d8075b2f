/**
 * Tokens as Pulsar checks them: JSON Web Tokens with HS256, subject = role (RFC 7519).
 *
 * @module
 */
import { dirname } from "node:path";

const SECRET_BYTES = 32;

function base64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/**
 * A token of `role`.
 *
 * @param secret the raw secret, at least 32 bytes
 * @param expiresAtSec seconds since 1970; without it the token does not expire
 */
export async function signToken(
  secret: Uint8Array,
  role: string,
  expiresAtSec?: number,
): Promise<string> {
  const utf8 = new TextEncoder();
  const claims = { sub: role, ...(expiresAtSec === undefined ? {} : { exp: expiresAtSec }) };
  const parts = [{ alg: "HS256" }, claims]
    .map((part) => base64Url(utf8.encode(JSON.stringify(part))));
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", new Uint8Array(secret), algorithm, false, [
    "sign",
  ]);
  const signature = await crypto.subtle.sign("HMAC", key, utf8.encode(parts.join(".")));
  return `${parts.join(".")}.${base64Url(new Uint8Array(signature))}`;
}

/** The secret in `file`; a new random one is written, readable for its owner only, when there is no such file. */
export async function loadOrMakeSecret(file: string): Promise<Uint8Array> {
  try {
    return await Deno.readFile(file);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const secret = crypto.getRandomValues(new Uint8Array(SECRET_BYTES));
  await Deno.mkdir(dirname(file), { recursive: true });
  await Deno.writeFile(file, secret, { mode: 0o600, createNew: true });
  return secret;
}
