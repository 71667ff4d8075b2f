import { WeirError } from "../base/mod.ts";

/** The one error of report/: `no_data` where a page carries no run, `damaged_data` where it cannot be read. */
export class ReportError extends WeirError<"no_data" | "damaged_data"> {
  override readonly name = "ReportError";
}
