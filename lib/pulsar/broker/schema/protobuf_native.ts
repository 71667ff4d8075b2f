import { textOf } from "../../../base/mod.ts";
import { BrokerError } from "../errors.ts";

/**
 * Full name of the message that a PROTOBUF_NATIVE schema is about: its data are JSON, `fileDescriptorSet` in Base64 and the names of file
 * and message in it. Pulsar's broker compares no more of two schemas than this name.
 *
 * @throws {BrokerError} `incompatible_schema` for what is no such schema
 */
export function rootMessageOf(data: Uint8Array): string {
  try {
    const { fileDescriptorSet, rootMessageTypeName } = JSON.parse(textOf(data));
    if (Uint8Array.fromBase64(fileDescriptorSet).length === 0) throw new Error("no descriptors");
    if (typeof rootMessageTypeName !== "string" || rootMessageTypeName === "") {
      throw new Error("no root message");
    }
    return rootMessageTypeName;
  } catch (cause) {
    throw new BrokerError("Cannot read schema: it is no PROTOBUF_NATIVE schema", {
      code: "incompatible_schema",
      cause,
    });
  }
}
