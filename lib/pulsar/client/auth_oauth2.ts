/**
 * OAuth 2.0 client credentials (RFC 6749, section 4.4), as Pulsar's clients do it: the access token goes to the broker as a token.
 *
 *     issuer/.well-known/openid-configuration ─► token_endpoint ─► access_token, kept until it is nearly over
 */
import { type Clock, messageOf, type MonoUs, Secret, systemClock } from "../../base/mod.ts";
import { type Authentication, readText } from "./auth.ts";
import { PulsarError } from "../wire/mod.ts";

/** Where tokens come from, and who asks for them. */
export interface OAuth2Options {
  /** Whose `/.well-known/openid-configuration` names the token endpoint. */
  readonly issuerUrl?: string | undefined;
  /** The token endpoint itself, in place of the issuer. */
  readonly tokenUrl?: string | undefined;
  readonly clientId?: string | undefined;
  readonly clientSecret?: string | undefined;
  /** In place of id and secret: a JSON file with `client_id` and `client_secret`, and `issuer_url` where none is given here. */
  readonly keyFile?: string | undefined;
  readonly audience?: string | undefined;
  readonly scope?: string | undefined;
  /** Default 30 s. */
  readonly requestTimeoutMs?: number | undefined;
  readonly fetch?: typeof globalThis.fetch | undefined;
  readonly clock?: Clock | undefined;
}

/** Part of a token's lifetime after which a new one is fetched. */
const FRESH_PART = 0.9;
/** For servers that do not say how long their tokens hold. */
const LIFETIME_SEC = 3600;

interface Token {
  readonly secret: Secret;
  readonly freshUntilUs: MonoUs;
  readonly validUntilUs: MonoUs;
}

interface Credentials {
  readonly clientId: string;
  readonly clientSecret: Secret;
  readonly issuerUrl: string | undefined;
}

/**
 * Proves who the client is with access tokens of an OAuth 2.0 server.
 *
 * @throws {TypeError} when neither an issuer nor a token endpoint, or no credentials, are given
 */
export function oauth2Authentication(options: OAuth2Options): Authentication {
  const hasSecret = options.clientId !== undefined && options.clientSecret !== undefined;
  if (!hasSecret && options.keyFile === undefined) {
    throw new TypeError(
      "Cannot get a token: there are no credentials; give clientId and clientSecret, or keyFile",
    );
  }
  const hasUrl = options.issuerUrl !== undefined || options.tokenUrl !== undefined;
  if (!hasUrl && options.keyFile === undefined) {
    throw new TypeError("Cannot get a token: there is no server; give issuerUrl or tokenUrl");
  }
  const source = new TokenSource(options);
  return { methodName: "token", authData: () => source.get() };
}

class TokenSource {
  readonly #options: OAuth2Options;
  readonly #clock: Clock;
  #token: Token | undefined;
  /** One request serves all connections that wait for it. */
  #fetching: Promise<Token> | undefined;

  constructor(options: OAuth2Options) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  async get(): Promise<Secret> {
    const nowUs = this.#clock.monoUs();
    const kept = this.#token;
    if (kept !== undefined && nowUs < kept.freshUntilUs) return kept.secret;
    try {
      this.#fetching ??= this.#fetchToken().finally(() => this.#fetching = undefined);
      this.#token = await this.#fetching;
      return this.#token.secret;
    } catch (error) {
      // The old one still holds: the server has until its end to come back.
      if (kept !== undefined && nowUs < kept.validUntilUs) return kept.secret;
      throw error;
    }
  }

  async #fetchToken(): Promise<Token> {
    const credentials = await this.#credentials();
    const url = await this.#tokenUrl(credentials);
    const { audience, scope } = this.#options;
    const body = new URLSearchParams({
      grant_type: "client_credentials",
      client_id: credentials.clientId,
      client_secret: credentials.clientSecret.reveal(),
      ...(audience === undefined ? {} : { audience }),
      ...(scope === undefined ? {} : { scope }),
    });
    const answer = await this.#ask(url, "get an access token", { method: "POST", body });
    const { access_token: text, expires_in: lifetimeSec = LIFETIME_SEC } = answer;
    if (typeof text !== "string" || text === "") {
      throw failed("get an access token", url, "the answer has no access_token");
    }
    const nowUs = this.#clock.monoUs();
    const lifetimeUs = Number(lifetimeSec) * 1e6;
    return {
      secret: new Secret(text),
      freshUntilUs: nowUs + lifetimeUs * FRESH_PART,
      validUntilUs: nowUs + lifetimeUs,
    };
  }

  async #credentials(): Promise<Credentials> {
    const { clientId, clientSecret, keyFile, issuerUrl } = this.#options;
    if (keyFile === undefined) {
      return { clientId: clientId!, clientSecret: new Secret(clientSecret!), issuerUrl };
    }
    const cure = "give a JSON file with client_id and client_secret";
    const text = await readText(keyFile.replace(/^file:(?:\/\/)?/, ""), "key file", cure);
    const key = parseJson(text);
    const [id, secret] = [key?.["client_id"], key?.["client_secret"]];
    if (typeof id !== "string" || typeof secret !== "string") {
      throw new PulsarError(
        `Cannot use key file ${JSON.stringify(keyFile)}: it has no client_id and client_secret`,
        { code: "authentication_error", cure },
      );
    }
    const issuer = key?.["issuer_url"];
    return {
      clientId: id,
      clientSecret: new Secret(secret),
      issuerUrl: issuerUrl ?? (typeof issuer === "string" ? issuer : undefined),
    };
  }

  async #tokenUrl({ issuerUrl }: Credentials): Promise<string> {
    if (this.#options.tokenUrl !== undefined) return this.#options.tokenUrl;
    if (issuerUrl === undefined) {
      throw new PulsarError("Cannot get an access token: the key file names no issuer_url", {
        code: "authentication_error",
        cure: "give issuerUrl or tokenUrl",
      });
    }
    const url = `${issuerUrl.replace(/\/+$/, "")}/.well-known/openid-configuration`;
    const { token_endpoint: endpoint } = await this.#ask(url, "find the token endpoint", {});
    if (typeof endpoint === "string") return endpoint;
    throw failed("find the token endpoint", url, "the answer has no token_endpoint");
  }

  async #ask(url: string, action: string, init: RequestInit): Promise<Record<string, unknown>> {
    const { requestTimeoutMs = 30_000, fetch = globalThis.fetch } = this.#options;
    let response: Response;
    let text: string;
    try {
      response = await fetch(url, { ...init, signal: AbortSignal.timeout(requestTimeoutMs) });
      text = await response.text();
    } catch (error) {
      throw failed(action, url, messageOf(error), { retryable: true, cause: error });
    }
    const answer = parseJson(text);
    if (!response.ok) {
      // RFC 6749, section 5.2: what is wrong stands in the answer.
      const why = answer?.["error_description"] ?? answer?.["error"] ?? "";
      const retryable = response.status >= 500 || response.status === 429;
      throw failed(action, url, `HTTP ${response.status} ${why}`.trimEnd(), { retryable });
    }
    if (answer === undefined) throw failed(action, url, "the answer is not JSON");
    return answer;
  }
}

function parseJson(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null
      ? value as Record<string, unknown>
      : undefined;
  } catch {
    // Told by the caller, with where it came from.
    return undefined;
  }
}

function failed(
  action: string,
  url: string,
  why: string,
  options: { readonly retryable?: boolean; readonly cause?: unknown } = {},
): PulsarError {
  return new PulsarError(`Cannot ${action}: ${url}: ${why}`, {
    code: "authentication_error",
    cure: "check issuer, client id and secret, audience and scope",
    ...options,
  });
}
