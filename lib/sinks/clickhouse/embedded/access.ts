import { timingSafeEqual } from "node:crypto";
import { createHash } from "node:crypto";
import type { Secret } from "../../../base/mod.ts";
import { queryError } from "./errors.ts";

/** Who may ask. */
export interface Credentials {
  readonly user: string;
  readonly password: Secret;
}

const LOOPBACK = new Set(["127.0.0.1", "localhost", "[::1]"]);

/**
 * Refuses what a web page can make a browser send: a name that was pointed at this machine (Host), a request across sites (Origin, Sec-Fetch-Site).
 *
 * @throws {QueryError} ACCESS_DENIED
 */
export function checkOrigin(headers: Headers, port: number): void {
  const host = headers.get("host") ?? "";
  const [, name = "", hostPort = ""] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(host) ?? [];
  if (!LOOPBACK.has(name.toLowerCase()) || hostPort !== String(port)) {
    throw queryError(
      "ACCESS_DENIED",
      `Host ${JSON.stringify(host)} is not served here: use http://127.0.0.1:${port}`,
    );
  }
  const site = headers.get("sec-fetch-site") ?? "none";
  if (headers.has("origin") || (site !== "none" && site !== "same-origin")) {
    throw queryError("ACCESS_DENIED", "Requests of web pages are not served here");
  }
}

function sameText(given: string, expected: string): boolean {
  const [a, b] = [given, expected].map((text) => createHash("sha256").update(text).digest());
  return timingSafeEqual(a!, b!);
}

function givenCredentials(
  headers: Headers,
  query: URLSearchParams,
): { user: string; password: string } {
  const user = headers.get("x-clickhouse-user");
  if (user !== null) return { user, password: headers.get("x-clickhouse-key") ?? "" };
  const basic = /^basic\s+([A-Za-z0-9+/=]+)$/i.exec(headers.get("authorization") ?? "");
  if (basic !== null) {
    const text = decodeBase64(basic[1]!);
    const colon = text.indexOf(":");
    return { user: text.slice(0, colon), password: text.slice(colon + 1) };
  }
  return { user: query.get("user") ?? "default", password: query.get("password") ?? "" };
}

function decodeBase64(text: string): string {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(text), (char) => char.charCodeAt(0)));
  } catch {
    return ":";
  }
}

/**
 * Checks user and password, in a time that does not depend on how much of them is right.
 *
 * @throws {QueryError} AUTHENTICATION_FAILED
 */
export function checkCredentials(
  headers: Headers,
  query: URLSearchParams,
  expected: Credentials,
): void {
  const given = givenCredentials(headers, query);
  const rightUser = sameText(given.user, expected.user);
  const rightPassword = sameText(given.password, expected.password.reveal());
  if (rightUser && rightPassword) return;
  throw queryError(
    "AUTHENTICATION_FAILED",
    `${given.user}: Authentication failed: password is incorrect, or there is no user with such name`,
  );
}
