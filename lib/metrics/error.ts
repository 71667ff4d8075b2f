import { WeirError } from "../base/mod.ts";

/** Why a figure could not be registered, read or kept. */
export type MetricsErrorCode = "bad_name" | "duplicate" | "bad_line" | "bad_sample" | "scrape";

/** The one error of this folder. */
export class MetricsError extends WeirError<MetricsErrorCode> {
  override readonly name = "MetricsError";
}
