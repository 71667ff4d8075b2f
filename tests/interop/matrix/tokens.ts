/** The tokens that drivers show to a secured broker. */
import { ADMIN_ROLE } from "../../../infra/pulsar/config.ts";
import { loadOrMakeSecret, signToken } from "../../../infra/token.ts";
import { ROLES } from "./broker.ts";

const SECRET_BYTES = 32;

/** Signs a token of each role with the secret in `secretFile`, and one of the superuser that it does not fit. */
export async function makeTokens(secretFile: string): Promise<{
  token: string;
  forgedToken: string;
  tokens: Record<string, string>;
}> {
  const secret = await loadOrMakeSecret(secretFile);
  const tokens = await Promise.all(
    ROLES.map(async (role) => [role, await signToken(secret, role)] as const),
  );
  return {
    token: await signToken(secret, ADMIN_ROLE),
    forgedToken: await signToken(
      crypto.getRandomValues(new Uint8Array(SECRET_BYTES)),
      ADMIN_ROLE,
    ),
    tokens: Object.fromEntries(tokens),
  };
}
