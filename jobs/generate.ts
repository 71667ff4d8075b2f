/**
 * Makes what is generated: from lib/pulsar/wire/PulsarApi.proto
 *
 * - lib/pulsar/wire/pulsar_api.ts, types and field tables for our own codec, and
 * - tests/pulsar/wire/pulsar_api_pb.ts, the code of protoc-gen-es, which the tests use as the oracle.
 *
 * Needs `protoc` (Debian: protobuf-compiler). Run it as `deno task generate`.
 *
 * @module
 */
import type { DescEnum, DescField, DescFile, DescMessage } from "@bufbuild/protobuf";

const PROTO = new URL("../lib/pulsar/wire/PulsarApi.proto", import.meta.url).pathname;
const ORACLE = new URL("../tests/pulsar/wire/", import.meta.url).pathname;
const TARGET = new URL("../lib/pulsar/wire/pulsar_api.ts", import.meta.url).pathname;

/** Fields that brokers and clients of protocol 21 use and the published file does not have yet. */
const ADDITIONS: Readonly<Record<string, readonly string[]>> = {
  FeatureFlags: [
    'field(5, "supportsGetPartitionedMetadataWithoutAutoCreation", "bool", OPTIONAL)',
    'field(6, "supportsReplDedupByLidAndEid", "bool", OPTIONAL)',
    'field(7, "supportsTopicWatcherReconcile", "bool", OPTIONAL)',
  ],
  CommandPartitionedTopicMetadata: [
    'field(6, "metadataAutoCreationEnabled", "bool", OPTIONAL)',
  ],
};

/** As with the fields. */
const ENUM_ADDITIONS: Readonly<Record<string, readonly string[]>> = {
  ProtocolVersion: ["v21: 21"],
  SchemaType: ["AutoConsume: 21", "External: 22"],
};

const LICENCE = `/*
 * Licensed to the Apache Software Foundation (ASF) under one
 * or more contributor license agreements.  See the NOTICE file
 * distributed with this work for additional information
 * regarding copyright ownership.  The ASF licenses this file
 * to you under the Apache License, Version 2.0 (the
 * "License"); you may not use this file except in compliance
 * with the License.  You may obtain a copy of the License at
 *
 *   http://www.apache.org/licenses/LICENSE-2.0
 *
 * Unless required by applicable law or agreed to in writing,
 * software distributed under the License is distributed on an
 * "AS IS" BASIS, WITHOUT WARRANTIES OR CONDITIONS OF ANY
 * KIND, either express or implied.  See the License for the
 * specific language governing permissions and limitations
 * under the License.
 */`;

async function runOrThrow(command: string, args: readonly string[]): Promise<void> {
  const { success } = await new Deno.Command(command, { args: [...args], stderr: "inherit" })
    .output();
  if (!success) throw new Error(`Cannot run ${command}: it failed`);
}

async function generateOracle(): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const plugin = `${folder}/protoc-gen-es`;
    // Without the project's lock file: whatever that holds, everybody downloads.
    const script =
      '#!/bin/sh\nexec deno run --no-lock --allow-env --allow-read npm:@bufbuild/protoc-gen-es@2.17.0 "$@"\n';
    await Deno.writeTextFile(plugin, script, { mode: 0o755 });
    await Deno.copyFile(PROTO, `${folder}/pulsar_api.proto`);
    await runOrThrow("protoc", [
      `--plugin=protoc-gen-es=${plugin}`,
      `--es_out=${ORACLE}`,
      "--es_opt=target=ts",
      `--proto_path=${folder}`,
      "pulsar_api.proto",
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function flatName(desc: DescMessage | DescEnum): string {
  return desc.typeName.replace("pulsar.proto.", "").replaceAll(".", "");
}

function constantName(name: string): string {
  return name.replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2").toUpperCase();
}

/** The library's numbers of scalar types (descriptor.proto, FieldDescriptorProto.Type). */
const SCALARS: Readonly<Record<number, string>> = {
  1: "double",
  3: "int64",
  4: "uint64",
  5: "int32",
  8: "bool",
  9: "string",
  12: "bytes",
  13: "uint32",
};

function kindOf(field: DescField): string {
  if (field.enum !== undefined) return "enum";
  if (field.message !== undefined) return "message";
  const kind = SCALARS[field.scalar ?? 0];
  if (kind === undefined) throw new Error(`Cannot generate ${field.name}: unknown type`);
  // Bit sets use all 64 bits, and Java clients begin their request ids at random; every other 64-bit field is a counted id, a time or a size.
  const exact = (kind === "int64" && field.fieldKind === "list") || field.name === "request_id";
  return exact ? "bits64" : kind;
}

const TYPES: Readonly<Record<string, string>> = {
  bool: "boolean",
  string: "string",
  bytes: "Uint8Array",
  bits64: "bigint",
};

function typeOf(field: DescField): string {
  const base = field.enum !== undefined
    ? flatName(field.enum)
    : field.message !== undefined
    ? flatName(field.message)
    : TYPES[kindOf(field)] ?? "number";
  return field.fieldKind === "list" ? `readonly ${base}[]` : base;
}

function isRequired(field: DescField): boolean {
  return field.presence === 3;
}

function interfaceOf(message: DescMessage): string {
  const lines = message.fields.map((field) => {
    const value = field.fieldKind === "scalar" || field.fieldKind === "enum"
      ? field.getDefaultValue()
      : undefined;
    const doc = value === undefined ? "" : `  /** Absent means ${value}. */\n`;
    return `${doc}  readonly ${field.localName}${isRequired(field) ? ": " : "?: undefined | "}${
      typeOf(field)
    };`;
  });
  for (const addition of ADDITIONS[flatName(message)] ?? []) {
    lines.push(`  readonly ${addition.split('"')[1]}?: undefined | boolean;`);
  }
  const head = `/** Message \`${message.typeName}\`. */\n`;
  if (lines.length === 0) {
    return `${head}export type ${flatName(message)} = Readonly<Record<never, never>>;`;
  }
  return `${head}export interface ${flatName(message)} {\n${lines.join("\n")}\n}`;
}

/** A code that a client does not know still ends the one request that it answers, and not the connection. */
const OPEN_ENUM = "ServerError";

/** A row of an enum names its values: as in Pulsar, one that is not among them leaves the field unset. */
function enumRow(field: DescField, presence: string): string {
  const name = flatName(field.enum!);
  return name === OPEN_ENUM
    ? `  field(${field.number}, "${field.localName}", "enum", ${presence}),`
    : `  oneOf(${field.number}, "${field.localName}", ${presence}, ${name}),`;
}

function tableOf(message: DescMessage): string {
  const fields = message.fields.map((field) => {
    const presence = field.fieldKind === "list"
      ? "REPEATED"
      : isRequired(field)
      ? "REQUIRED"
      : "OPTIONAL";
    if (field.enum !== undefined) return enumRow(field, presence);
    const nested = field.message === undefined
      ? ""
      : `, () => ${constantName(flatName(field.message))}`;
    return `  field(${field.number}, "${field.localName}", "${
      kindOf(field)
    }", ${presence}${nested}),`;
  });
  for (const addition of ADDITIONS[flatName(message)] ?? []) fields.push(`  ${addition},`);
  const name = flatName(message);
  return `/** Fields of {@link ${name}}. */\nexport const ${
    constantName(name)
  }: MessageTable<${name}> = table("${name}", [\n${fields.join("\n")}\n]);`;
}

function enumOf(desc: DescEnum): string {
  const name = flatName(desc);
  const values = desc.values.map((value) => `  ${value.name}: ${value.number},`);
  for (const addition of ENUM_ADDITIONS[name] ?? []) values.push(`  ${addition},`);
  return `/** Enum \`${desc.typeName}\`. */\nexport const ${name} = {\n${
    values.join("\n")
  }\n} as const;\n/** A value of {@link ${name}}. */\nexport type ${name} = (typeof ${name})[keyof typeof ${name}];`;
}

function commandsOf(base: DescMessage): string {
  const types = base.nestedEnums[0]!;
  const rows = types.values.map((value) => {
    const field = base.fields.find((candidate) => candidate.number === value.number);
    if (field?.message === undefined) throw new Error(`Cannot generate ${value.name}: no field`);
    return { name: value.name, number: value.number, message: flatName(field.message) };
  });
  const bodies = rows.map((row) => `  readonly ${row.name}: ${row.message};`).join("\n");
  const tables = rows.map((row) =>
    `  ${row.name}: { number: ${row.number}, table: ${constantName(row.message)} },`
  ).join("\n");
  return `/** What each command carries. The number of a type is also the number of its field in \`BaseCommand\`. */
export interface CommandBodies {\n${bodies}\n}

/** Number and table of each command. */
export const COMMANDS: {
  readonly [Type in keyof CommandBodies]: {
    readonly number: number;
    readonly table: MessageTable<CommandBodies[Type]>;
  };
} = {\n${tables}\n};`;
}

function everyMessage(messages: readonly DescMessage[]): DescMessage[] {
  return messages.flatMap((message) => [message, ...everyMessage(message.nestedMessages)]);
}

function generateTables(file: DescFile): string {
  const messages = everyMessage(file.messages);
  const base = messages.find((message) => message.name === "BaseCommand")!;
  const plain = messages.filter((message) => message !== base);
  const enums = [...file.enums, ...plain.flatMap((message) => message.nestedEnums)];
  return [
    "// Generated by `deno task generate` from PulsarApi.proto, hence its length: do not edit.",
    LICENCE,
    'import { field, type MessageTable, oneOf, OPTIONAL, REPEATED, REQUIRED, table } from "./message_table.ts";',
    ...enums.map(enumOf),
    ...plain.map(interfaceOf),
    ...plain.map(tableOf),
    commandsOf(base),
  ].join("\n\n") + "\n";
}

if (import.meta.main) {
  await generateOracle();
  const { file_pulsar_api } = await import(`${ORACLE}pulsar_api_pb.ts`);
  await Deno.writeTextFile(TARGET, generateTables(file_pulsar_api));
  await runOrThrow("deno", ["fmt", "--quiet", TARGET]);
}
