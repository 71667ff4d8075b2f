import { messageOf, Secret } from "../../base/mod.ts";
import { PulsarError } from "../wire/mod.ts";

/** How a client proves who it is. */
export interface Authentication {
  /** `auth_method_name` of CONNECT. */
  readonly methodName: string;
  /** `auth_data`, asked for at each connect and whenever the broker challenges. */
  authData(): Promise<Secret>;
}

/** A token (usually a JWT) that is known. */
export function tokenAuthentication(token: string): Authentication {
  const secret = new Secret(token.trim());
  return { methodName: "token", authData: () => Promise.resolve(secret) };
}

/**
 * A token in a file, read again each time, so that it can be renewed while the client runs.
 *
 * @param path of a file that holds the token and nothing else
 */
export function tokenFileAuthentication(path: string): Authentication {
  return {
    methodName: "token",
    async authData() {
      try {
        return new Secret((await Deno.readTextFile(path)).trim());
      } catch (error) {
        throw new PulsarError(
          `Cannot read token file ${JSON.stringify(path)}: ${messageOf(error)}`,
          {
            code: "authentication_error",
            cure: "give the path of a file that holds the token",
            cause: error,
          },
        );
      }
    },
  };
}
