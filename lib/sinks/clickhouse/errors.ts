import { ClickHouseError } from "@clickhouse/client";
import { messageOf, WeirError, type WeirErrorOptions } from "../../base/mod.ts";

/** Why ClickHouse could not do what it was asked. */
export type SinkErrorCode =
  | "connection"
  | "timeout"
  | "authentication"
  | "rights"
  | "unknown_database"
  | "unknown_table"
  | "wrong_table"
  | "disk_full"
  | "overloaded"
  | "read_only"
  | "cancelled"
  | "refused"
  | "unreadable_row";

/** ClickHouse cannot be reached or refuses; the message holds no secret. */
export class SinkError extends WeirError<SinkErrorCode> {
  override readonly name = "SinkError";

  constructor(message: string, options: WeirErrorOptions<SinkErrorCode>) {
    super(message, options);
  }
}

interface Kind {
  readonly code: SinkErrorCode;
  readonly retryable: boolean;
  readonly cure?: string;
}

const CONNECTION: Kind = {
  code: "connection",
  retryable: true,
  cure:
    "check that ClickHouse is up and that --clickhouse names its HTTP port, e.g. http://HOST:8123",
};
const TIMEOUT: Kind = { code: "timeout", retryable: true };
const AUTHENTICATION: Kind = {
  code: "authentication",
  retryable: false,
  cure: "check CLICKHOUSE_USER and CLICKHOUSE_PASSWORD",
};
const RIGHTS: Kind = {
  code: "rights",
  retryable: false,
  cure: "GRANT SELECT, INSERT, CREATE TABLE, KILL QUERY on the database to this user",
};
const DISK_FULL: Kind = {
  code: "disk_full",
  retryable: false,
  cure: "free some space on ClickHouse's disk",
};
const OVERLOADED: Kind = { code: "overloaded", retryable: true };
const READ_ONLY: Kind = { code: "read_only", retryable: true };

/** By ClickHouse's error number (src/Common/ErrorCodes.cpp). */
const KINDS: Readonly<Record<string, Kind>> = {
  "60": { code: "unknown_table", retryable: false, cure: "let weir make it: check --table" },
  "81": { code: "unknown_database", retryable: false, cure: "check --database" },
  "159": TIMEOUT,
  "160": TIMEOUT,
  "209": TIMEOUT,
  "164": RIGHTS,
  "497": RIGHTS,
  "192": AUTHENTICATION,
  "193": AUTHENTICATION,
  "194": AUTHENTICATION,
  "516": AUTHENTICATION,
  "202": OVERLOADED,
  "241": OVERLOADED,
  "252": OVERLOADED,
  "439": OVERLOADED,
  "210": CONNECTION,
  "225": READ_ONLY,
  "242": READ_ONLY,
  "999": READ_ONLY,
  "243": DISK_FULL,
  "394": { code: "cancelled", retryable: true },
};

/** All texts of an error and of what caused it, because the network's code may be some way down. */
function textOf(thrown: unknown): string {
  const texts: string[] = [];
  for (let error = thrown; error instanceof Error && texts.length < 5; error = error.cause) {
    const code = (error as { code?: unknown }).code;
    texts.push(`${typeof code === "string" ? `${code} ` : ""}${messageOf(error)}`);
  }
  return texts.join(": ");
}

function kindOf(thrown: unknown): Kind {
  const text = textOf(thrown);
  if (/no space left on device|ENOSPC|not enough space/i.test(text)) return DISK_FULL;
  if (thrown instanceof ClickHouseError) {
    return KINDS[thrown.code] ?? { code: "refused", retryable: false };
  }
  if (/timeout/i.test(text)) return TIMEOUT;
  if (/abort/i.test(text)) return { code: "cancelled", retryable: true };
  return CONNECTION;
}

function stateOf(thrown: unknown, code: SinkErrorCode): string {
  if (thrown instanceof ClickHouseError) {
    const name = thrown.type === undefined ? "" : ` (${thrown.type})`;
    return `${messageOf(thrown).trim().replace(/\.$/, "").slice(0, 500)}${name}`;
  }
  if (code === "timeout") return "no answer in time";
  const text = messageOf(thrown) || textOf(thrown);
  // A page for people: some other server listens there.
  if (/<html|<!doctype/i.test(text)) return "what answers there is not ClickHouse";
  return text.slice(0, 500);
}

/**
 * What the client threw, as this module's error.
 *
 * @param action as in "Cannot <action>", with the server's address and no secret
 */
export function sinkError(action: string, thrown: unknown): SinkError {
  if (thrown instanceof SinkError) return thrown;
  const { code, retryable, cure } = kindOf(thrown);
  return new SinkError(`Cannot ${action}: ${stateOf(thrown, code)}`, {
    code,
    retryable,
    ...(cure === undefined ? {} : { cure }),
    cause: thrown,
  });
}
