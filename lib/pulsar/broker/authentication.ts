import type { CryptoKey, JWTVerifyOptions, KeyObject } from "jose";
import { equalBytes, messageOf, textOf, utf8 } from "../../base/mod.ts";
import type { Secret } from "../../base/mod.ts";
import { BrokerError } from "./errors.ts";

/** Who a client is. */
export interface Identity {
  readonly role: string;
  /** How it has shown that. */
  readonly method: string;
  /** When that ends, ms since 1970; Infinity for never. */
  readonly expiresAtMs: number;
}

/** How clients show who they are; where several are given, any of them will do. */
export interface AuthenticationOptions {
  /** One word that makes its bearer {@link TOKEN_ROLE}, who may do everything. */
  readonly token?: Secret | undefined;
  /** Signs JSON Web Tokens (HS256, HS384, HS512); at least 32 bytes. */
  readonly tokenSecretKey?: Uint8Array | undefined;
  /** Checks JSON Web Tokens (RS256 and its kin, ES256 and its kin): SPKI as PEM, or in its bytes. */
  readonly tokenPublicKey?: Uint8Array | undefined;
}

/** The role of whoever shows the plain token. */
export const TOKEN_ROLE = "bearer-of-the-token";
const METHOD = "token";
const MAC_KEY_BYTES_MIN = 32;
/** Object identifiers inside an SPKI (RFC 3279, RFC 5480), and what their keys sign with. */
const KEY_KINDS: readonly (readonly [string, readonly string[]])[] = [
  ["2a864886f70d010101", ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]],
  ["2a8648ce3d030107", ["ES256"]],
  ["2b81040022", ["ES384"]],
  ["2b81040023", ["ES512"]],
];

interface Verifier {
  readonly key: CryptoKey | KeyObject | Uint8Array;
  readonly algorithms: string[];
}

function refused(cause?: unknown): BrokerError {
  return new BrokerError("Failed to authenticate", {
    code: "authentication",
    ...(cause === undefined ? {} : { cause }),
  });
}

function badKey(reason: string, cause?: unknown): BrokerError {
  return new BrokerError(`Cannot use the token key: ${reason}`, {
    code: "invalid",
    cure: "give a secret of at least 32 bytes, or a public key as PEM or DER (SPKI)",
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Finds out who a client is. JSON Web Tokens (RFC 7519) are checked as Pulsar does: the role is `sub`, and `exp` counts. */
export class Authenticator {
  private constructor(
    private readonly token: Secret | undefined,
    private readonly verifiers: readonly Verifier[],
    private readonly wallMs: () => number,
  ) {}

  /**
   * @param wallMs now, in ms since 1970
   * @returns undefined where nothing is asked of clients
   * @throws {BrokerError} `invalid` for a key that cannot be used
   */
  static async of(
    options: AuthenticationOptions,
    wallMs: () => number,
  ): Promise<Authenticator | undefined> {
    const { token, tokenSecretKey, tokenPublicKey } = options;
    const verifiers: Verifier[] = [];
    if (tokenSecretKey !== undefined) verifiers.push(macVerifier(tokenSecretKey));
    if (tokenPublicKey !== undefined) verifiers.push(await publicVerifier(tokenPublicKey));
    if (token === undefined && verifiers.length === 0) return undefined;
    return new Authenticator(token, verifiers, wallMs);
  }

  /**
   * Who shows these credentials.
   *
   * @param method as CONNECT names it
   * @throws {BrokerError} `authentication`
   */
  async authenticate(method: string | undefined, data: Uint8Array | undefined): Promise<Identity> {
    if (method !== METHOD || data === undefined || data.length === 0) throw refused();
    if (this.token !== undefined && equalBytes(data, utf8(this.token.reveal()))) {
      return { role: TOKEN_ROLE, method, expiresAtMs: Infinity };
    }
    let cause: unknown;
    for (const verifier of this.verifiers) {
      try {
        return await this.#verify(textOf(data), verifier);
      } catch (error) {
        cause = error;
      }
    }
    throw refused(cause);
  }

  /**
   * Who sends this `Authorization` header.
   *
   * @throws {BrokerError} `authentication`
   */
  authenticateHeader(header: string | null): Promise<Identity> {
    const token = /^Bearer\s+(.+)$/i.exec(header ?? "")?.[1];
    return this.authenticate(METHOD, token === undefined ? undefined : utf8(token));
  }

  async #verify(token: string, { key, algorithms }: Verifier): Promise<Identity> {
    // Loaded with the first token: most brokers on a laptop never see one, and it takes some memory.
    const { jwtVerify } = await import("jose");
    const options: JWTVerifyOptions = { algorithms, currentDate: new Date(this.wallMs()) };
    const { payload } = await jwtVerify(token, key, options);
    if (typeof payload.sub !== "string" || payload.sub === "") {
      throw new BrokerError("Cannot authenticate: the token has no subject", {
        code: "authentication",
      });
    }
    const expiresAtMs = payload.exp === undefined ? Infinity : payload.exp * 1000;
    return { role: payload.sub, method: METHOD, expiresAtMs };
  }
}

function macVerifier(secret: Uint8Array): Verifier {
  if (secret.length < MAC_KEY_BYTES_MIN) {
    throw badKey(`the secret has ${secret.length} bytes, ${MAC_KEY_BYTES_MIN} are needed`);
  }
  return { key: secret, algorithms: ["HS256", "HS384", "HS512"] };
}

async function publicVerifier(bytes: Uint8Array): Promise<Verifier> {
  const der = derOf(bytes);
  const hex = der.toHex();
  const algorithms = KEY_KINDS.find(([identifier]) => hex.includes(identifier))?.[1];
  if (algorithms === undefined) throw badKey("it is neither an RSA nor an elliptic-curve key");
  const { importSPKI } = await import("jose");
  const pem = `-----BEGIN PUBLIC KEY-----\n${der.toBase64()}\n-----END PUBLIC KEY-----`;
  try {
    // The hash belongs to the key in Web Crypto: Pulsar's own tools sign with the first of each kind.
    const key = await importSPKI(pem, algorithms[0]!);
    return { key, algorithms: [algorithms[0]!] };
  } catch (error) {
    throw badKey(messageOf(error), error);
  }
}

function derOf(bytes: Uint8Array): Uint8Array {
  // In a text of one byte a character, for it may be no text at all.
  const text = new TextDecoder("latin1").decode(bytes);
  const body = /-----BEGIN PUBLIC KEY-----([\s\S]+?)-----END PUBLIC KEY-----/.exec(text)?.[1];
  if (body === undefined) return bytes;
  try {
    return Uint8Array.fromBase64(body.replace(/\s/g, ""));
  } catch (error) {
    throw badKey("the PEM is damaged", error);
  }
}
