import { WeirError } from "../base/mod.ts";

/** What can go wrong around a run. */
export type RunErrorCode =
  | "folder_exists"
  | "folder_missing"
  | "folder_damaged"
  | "not_writable"
  | "disk_space"
  | "role_failed"
  | "role_not_ready"
  | "interrupted"
  | "not_running"
  | "refused";

/** The one error of run/. */
export class RunError extends WeirError<RunErrorCode> {
  override readonly name = "RunError";
}
