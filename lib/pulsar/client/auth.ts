import { readFile } from "node:fs/promises";
import { messageOf, Secret } from "../../base/mod.ts";
import { PulsarError } from "../wire/mod.ts";

/** A client's certificate for TLS, as PEM text. */
export interface TlsIdentity {
  /** The certificate, followed by those that signed it where the broker does not know them. */
  readonly certificate: string;
  readonly privateKey: Secret;
}

/** How a client proves who it is. */
export interface Authentication {
  /** `auth_method_name` of CONNECT. */
  readonly methodName: string;
  /** `auth_data`, asked for at each connect and whenever the broker challenges; undefined where the connection itself proves it. */
  authData(): Promise<Secret | undefined>;
  /** The certificate that TLS connections are made with, asked for at each connect. */
  tlsIdentity?(): Promise<TlsIdentity>;
}

/**
 * A token, usually a JWT.
 *
 * @param token the token, or what gives the one of this moment: it is asked at each connect and whenever the broker wants a fresh one
 */
export function tokenAuthentication(
  token: string | (() => string | Promise<string>),
): Authentication {
  return {
    methodName: "token",
    async authData() {
      if (typeof token === "string") return new Secret(token.trim());
      try {
        return new Secret((await token()).trim());
      } catch (error) {
        if (error instanceof PulsarError) throw error;
        throw new PulsarError(`Cannot get a token: ${messageOf(error)}`, {
          code: "authentication_error",
          cause: error,
        });
      }
    },
  };
}

/**
 * A token in a file, read again each time, so that it can be renewed while the client runs.
 *
 * @param path of a file that holds the token and nothing else
 */
export function tokenFileAuthentication(path: string): Authentication {
  const cure = "give the path of a file that holds the token";
  return tokenAuthentication(() => readText(path, "token file", cure));
}

/** User and password, for brokers with `AuthenticationProviderBasic`. They travel as they are: use `pulsar+ssl`. */
export function basicAuthentication(
  credentials: { readonly user: string; readonly password: string },
): Authentication {
  const { user, password } = credentials;
  if (user.includes(":")) {
    throw new TypeError(
      "Cannot authenticate: the user name has a colon, and could not be told from the password",
    );
  }
  const secret = new Secret(`${user}:${password}`);
  return { methodName: "basic", authData: () => Promise.resolve(secret) };
}

/**
 * A client certificate (mutual TLS), for service URLs with `pulsar+ssl`.
 *
 * @param source PEM texts, or files of them, which are read again at each connect
 */
export function tlsAuthentication(
  source:
    | { readonly certificate: string; readonly privateKey: string }
    | { readonly certificateFile: string; readonly privateKeyFile: string },
): Authentication {
  return {
    methodName: "tls",
    authData: () => Promise.resolve(undefined),
    async tlsIdentity() {
      if ("certificate" in source) {
        const { certificate, privateKey } = source;
        return { certificate, privateKey: new Secret(privateKey) };
      }
      const cure = "give the path of a PEM file";
      const certificate = await readText(source.certificateFile, "client certificate", cure);
      const privateKey = new Secret(await readText(source.privateKeyFile, "private key", cure));
      return { certificate, privateKey };
    },
  };
}

/** @throws {PulsarError} `authentication_error` */
export async function readText(path: string, what: string, cure: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new PulsarError(`Cannot read ${what} ${JSON.stringify(path)}: ${messageOf(error)}`, {
      code: "authentication_error",
      cure,
      cause: error,
    });
  }
}
