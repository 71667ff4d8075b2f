import { WeirError } from "../base/mod.ts";

/** The one error of the notebook interface. */
export class NotebookError
  extends WeirError<"not_started" | "not_ended" | "query_failed" | "stopped"> {
  override readonly name = "NotebookError";
}
