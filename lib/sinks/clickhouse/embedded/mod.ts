/** ClickHouse's HTTP interface over chDB, on the loopback address, in a process of its own. */
export { currentPlatform, engineLockPath, enginePackage } from "./addon.ts";
export type { EnginePackage, Platform } from "./addon.ts";
export { EmbeddedError } from "./errors.ts";
export type { EmbeddedErrorCode } from "./errors.ts";
export { FORMAT_NAMES } from "./formats.ts";
export { serveEmbeddedClickHouse } from "./serve.ts";
export type { EmbeddedClickHouse, EmbeddedOptions } from "./serve.ts";
