import { textOf, utf8, writeDurably } from "../../../base/mod.ts";
import type { Crc32c, Disk } from "../../../base/mod.ts";
import { BrokerError, diskError } from "../errors.ts";
import type { Durability } from "./durability.ts";

/** Where a small document lives. */
export interface DocumentPlace {
  readonly disk: Disk;
  readonly crc32c: Crc32c;
  readonly durability: Durability;
  readonly folder: string;
  readonly name: string;
}

/** First line: CRC-32C in hexadecimal. Second line: JSON. */
function encode(value: unknown, crc32c: Crc32c): Uint8Array {
  const json = JSON.stringify(value);
  const bytes = utf8(json);
  return utf8(`${crc32c(bytes, 0, bytes.length).toString(16).padStart(8, "0")}\n${json}\n`);
}

/**
 * Reads a document of {@link writeDocument}.
 *
 * @returns undefined where there is none
 * @throws {BrokerError} `damaged` when it is not what was written
 */
export function readDocument<T>({ disk, crc32c, folder, name }: DocumentPlace): T | undefined {
  const path = `${folder}/${name}`;
  const bytes = disk.readFile(path);
  if (bytes === undefined) return undefined;
  const json = bytes.subarray(9, bytes.length - 1);
  const checksum = crc32c(json, 0, json.length).toString(16).padStart(8, "0");
  if (bytes.length < 11 || checksum !== textOf(bytes.subarray(0, 8))) {
    throw new BrokerError(`Cannot read ${JSON.stringify(path)}: the file is damaged`, {
      code: "damaged",
      cure: "restore the file from a copy, or delete it",
    });
  }
  return JSON.parse(textOf(json)) as T;
}

/**
 * Replaces a document: after a crash the old or the new one is there, whole. With durability `os` it survives kill -9, with `fsync` a power loss.
 *
 * @throws {BrokerError} `disk_full`, `disk_error`
 */
export async function writeDocument(place: DocumentPlace, value: unknown): Promise<void> {
  const { disk, crc32c, durability, folder, name } = place;
  const bytes = encode(value, crc32c);
  try {
    if (durability === "fsync") {
      await writeDurably(disk, folder, name, bytes);
      return;
    }
    const temporary = `${folder}/${name}.tmp`;
    disk.remove(temporary);
    const file = disk.open(temporary);
    try {
      file.append(bytes);
    } finally {
      file.close();
    }
    disk.rename(temporary, `${folder}/${name}`);
  } catch (error) {
    throw diskError(`write ${JSON.stringify(`${folder}/${name}`)}`, error);
  }
}

/**
 * Removes a document. With durability `fsync` it stays away after a power loss; one that is not there costs nothing.
 *
 * @throws {BrokerError} `disk_error`
 */
export async function removeDocument(place: Omit<DocumentPlace, "crc32c">): Promise<void> {
  const { disk, durability, folder, name } = place;
  if (!disk.list(folder).includes(name)) return;
  try {
    disk.remove(`${folder}/${name}`);
    if (durability === "fsync") await disk.syncFolder(folder);
  } catch (error) {
    throw diskError(`remove ${JSON.stringify(`${folder}/${name}`)}`, error);
  }
}
