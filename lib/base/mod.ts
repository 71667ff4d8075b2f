/** Primitives that everything else stands on; imports nothing of the project. */
export {
  bytesOfHex,
  concatBytes,
  equalBytes,
  hexOf,
  readUint32,
  textOf,
  utf8,
  writeUint32,
} from "./bytes.ts";
export type { ByteField } from "./bytes.ts";
export { FakeClock, systemClock } from "./clock.ts";
export type { Clock, EventTimeMs, MonoUs, WallTimeMs } from "./clock.ts";
export { crc32cPortable, loadCrc32c } from "./crc32c.ts";
export type { Crc32c } from "./crc32c.ts";
export { systemDisk, writeDurably } from "./disk.ts";
export type { Disk, DiskFile } from "./disk.ts";
export {
  assert,
  AssertionError,
  lineOf,
  messageOf,
  unreachable,
  UsageError,
  WeirError,
} from "./errors.ts";
export type { WeirErrorOptions } from "./errors.ts";
export { identityHigh, identityLow, identityOf, sourceHash } from "./identity.ts";
export { mix32, seededRandom, systemRandom } from "./random.ts";
export type { Random } from "./random.ts";
export { Secret } from "./secret.ts";
export {
  formatBytes,
  formatCount,
  formatDurationMs,
  parseDurationMs,
  parseSizeBytes,
} from "./units.ts";
