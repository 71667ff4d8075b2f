import { Buffer } from "node:buffer";
import { messageOf } from "../base/mod.ts";
import type { RecordEncoder } from "./codec.ts";
import { AvroError } from "./errors.ts";
import type { AvroSchema } from "./schema.ts";

/** avsc behind the interface of the compiled encoder, for schemas that are not flat. */
export function createAvscEncoder(schema: AvroSchema): RecordEncoder {
  return {
    isCompiled: false,
    encode(value, bytes, offset) {
      const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      let end: number;
      try {
        end = schema.encode(value, buffer, offset);
      } catch (cause) {
        throw new AvroError(`Cannot encode value: ${messageOf(cause)}`, {
          code: "invalid_value",
          offset,
          cause,
        });
      }
      if (end < 0) {
        throw new AvroError(`Cannot encode value: ${-end} bytes are missing behind ${offset}`, {
          code: "no_room",
          offset,
        });
      }
      return end;
    },
  };
}
