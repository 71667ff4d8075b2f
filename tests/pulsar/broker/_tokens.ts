import { SignJWT } from "jose";
import type { CryptoKey } from "jose";

/** A secret for tests. */
export const SECRET = new Uint8Array(32).fill(7);

/** A token of a role, signed with the secret unless another key is given. */
export function tokenOf(role: string | undefined, options: {
  readonly key?: CryptoKey | Uint8Array;
  readonly algorithm?: string;
  readonly expiresAtSec?: number;
} = {}): Promise<string> {
  const { key = SECRET, algorithm = "HS256", expiresAtSec } = options;
  const token = new SignJWT(role === undefined ? {} : { sub: role })
    .setProtectedHeader({ alg: algorithm });
  if (expiresAtSec !== undefined) token.setExpirationTime(expiresAtSec);
  return token.sign(key);
}
