import { WeirError } from "../../../base/mod.ts";

/** An answer of the admin interface that is no success, with the status and text of Pulsar's. */
export class AdminError extends WeirError<"refused"> {
  override readonly name = "AdminError";
  /** Of HTTP. */
  readonly status: number;

  constructor(status: number, reason: string) {
    super(reason, { code: "refused" });
    this.status = status;
  }
}

/** What Pulsar answers for what it does and this broker does not. */
export function notSupported(what: string): AdminError {
  return new AdminError(405, `${what} is not supported by this broker`);
}
