import type { Schema } from "./schema.ts";

const BYTES: Schema<Uint8Array> = {
  info: undefined,
  encode: (value) => value,
  decode: (bytes) => bytes,
};

/** Plain bytes: what a topic without a schema holds. */
export function bytesSchema(): Schema<Uint8Array> {
  return BYTES;
}
