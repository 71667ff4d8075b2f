import { mix32, sourceHash, utf8 } from "../base/mod.ts";
import { DEVICE_TYPES } from "./schema.ts";

const SITE_COUNT = 20;
const FIRMWARE_VERSIONS = ["2.4.1", "2.4.2", "2.5.0", "3.0.0", "3.1.4"];

/** Bytes that a source's length-prefixed name may take: four words, written whole. */
export const NAME_WORDS = 4;
/** Words that hold site, device type and firmware version of a source. */
export const DEVICE_WORDS = 3;

/** What stays the same for each source of a plan. The arrays run parallel, by source index. */
export interface Fleet {
  readonly names: readonly string[];
  readonly partitions: Uint32Array;
  /** What a source's messages are drawn from, beside their sequence. */
  readonly keys: Uint32Array;
  readonly siteIds: Uint8Array;
  readonly deviceTypes: Uint8Array;
  readonly firmware: readonly (string | null)[];
  readonly latitudes: Float64Array;
  readonly longitudes: Float64Array;
  /** AVRO bytes of `event_source_id`, {@link NAME_WORDS} big-endian words a source, padded. */
  readonly nameWords: Int32Array;
  readonly nameBytes: Uint8Array;
  /** AVRO bytes of `site_id`, `device_type` and `firmware_version`, {@link DEVICE_WORDS} words a source. */
  readonly deviceWords: Int32Array;
  readonly deviceBytes: Uint8Array;
}

/** The name of a source: `sensor-00042`. */
export function sensorName(index: number): string {
  return `sensor-${String(index).padStart(5, "0")}`;
}

/** Names, keys and constant bytes of all sources. */
export function createFleet(
  { seed, sourceCount, partitionCount }: {
    readonly seed: number;
    readonly sourceCount: number;
    readonly partitionCount: number;
  },
): Fleet {
  const fleet = {
    names: Array.from({ length: sourceCount }, (_, i) => sensorName(i)),
    partitions: new Uint32Array(sourceCount),
    keys: new Uint32Array(sourceCount),
    siteIds: new Uint8Array(sourceCount),
    deviceTypes: new Uint8Array(sourceCount),
    firmware: new Array<string | null>(sourceCount).fill(null),
    latitudes: new Float64Array(sourceCount),
    longitudes: new Float64Array(sourceCount),
    nameWords: new Int32Array(sourceCount * NAME_WORDS),
    nameBytes: new Uint8Array(sourceCount),
    deviceWords: new Int32Array(sourceCount * DEVICE_WORDS),
    deviceBytes: new Uint8Array(sourceCount),
  };
  const seedKey = mix32(seed ^ 0x5e4507);
  for (let i = 0; i < sourceCount; i++) {
    const name = utf8(fleet.names[i]!);
    const key = mix32(seedKey ^ mix32(i));
    const draw = mix32(key ^ 0x0f1ee7);
    const site = draw % SITE_COUNT;
    const version = (draw >>> 16) % (FIRMWARE_VERSIONS.length * 2);
    fleet.partitions[i] = sourceHash(name) % partitionCount;
    fleet.keys[i] = key;
    fleet.siteIds[i] = site;
    fleet.deviceTypes[i] = (draw >>> 8) % DEVICE_TYPES.length;
    // One in ten runs firmware that does not tell its version.
    fleet.firmware[i] = version === 0 ? null : FIRMWARE_VERSIONS[version >> 1]!;
    placeDevice(fleet, i, mix32(key ^ 0x9e0));
    packWords(fleet, i, name);
  }
  return fleet;
}

/** Within about 3 km of the site; the sites lie on a grid over central Europe. */
function placeDevice(
  { siteIds, latitudes, longitudes }: Pick<Fleet, "siteIds" | "latitudes" | "longitudes">,
  i: number,
  draw: number,
): void {
  const site = siteIds[i]!;
  latitudes[i] = (460_000 + (site >> 2) * 15_000 + (draw & 0x1ff) - 256) / 10_000;
  longitudes[i] = (60_000 + (site & 3) * 25_000 + ((draw >>> 16) & 0x1ff) - 256) / 10_000;
}

function packWords(fleet: Fleet, i: number, name: Uint8Array): void {
  // Lengths and numbers here are below 64, so their varints are one byte: twice the value.
  const named = [name.length * 2, ...name];
  const version = fleet.firmware[i]!;
  const device = [fleet.siteIds[i]! * 2, fleet.deviceTypes[i]! * 2];
  if (version === null) device.push(0);
  else device.push(2, version.length * 2, ...utf8(version));
  writeWords(fleet.nameWords, i * NAME_WORDS, named);
  writeWords(fleet.deviceWords, i * DEVICE_WORDS, device);
  fleet.nameBytes[i] = named.length;
  fleet.deviceBytes[i] = device.length;
}

function writeWords(words: Int32Array, first: number, bytes: readonly number[]): void {
  bytes.forEach((byte, i) => {
    words[first + (i >> 2)]! |= byte << (24 - 8 * (i & 3));
  });
}
