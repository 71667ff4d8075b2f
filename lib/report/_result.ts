export type { Finding, Result } from "../verdict/result.ts";
