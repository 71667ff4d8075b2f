/**
 * What client and broker must both know of AVRO where Pulsar goes with Java's library and not with avsc: records are told apart by their
 * fields, not by their names.
 */

/** As much of avsc's types as is looked at. */
export interface NamedType {
  readonly typeName: string;
  readonly name?: string | undefined;
  /** Other names that a writer's record may have. */
  readonly aliases?: string[];
  readonly fields?: readonly {
    readonly name: string;
    readonly aliases: readonly string[];
    readonly type: NamedType;
  }[];
  readonly itemsType?: NamedType;
  readonly valuesType?: NamedType;
  readonly types?: readonly NamedType[];
  readonly underlyingType?: NamedType;
}

/**
 * Gives the reader's records the names of the writer's that stand in their places as aliases, so that avsc resolves them: Java's library,
 * with which Pulsar's brokers and clients decide, does not compare names of records (`org.apache.avro.Resolver`), and classes `OrderV1`
 * and `OrderV2` are versions of one schema. In a union a branch of the same name goes before others.
 *
 * @param reader is changed: must not be used for anything else
 */
export function alignRecordNames(reader: NamedType, writer: NamedType): void {
  align(reader, writer, new Set());
}

function align(readerType: NamedType, writerType: NamedType, seen: Set<string>): void {
  const reader = readerType.underlyingType ?? readerType;
  const writer = writerType.underlyingType ?? writerType;
  if (reader.types !== undefined || writer.types !== undefined) {
    return alignBranches(reader.types ?? [reader], writer.types ?? [writer], seen);
  }
  if (reader.typeName !== writer.typeName) return;
  if (reader.fields !== undefined) return alignFields(reader, writer, seen);
  if (reader.itemsType !== undefined) align(reader.itemsType, writer.itemsType!, seen);
  if (reader.valuesType !== undefined) align(reader.valuesType, writer.valuesType!, seen);
}

function alignFields(reader: NamedType, writer: NamedType, seen: Set<string>): void {
  // A record may hold itself. Names of records are unique within a schema.
  const pair = `${reader.name}:${writer.name}`;
  if (seen.has(pair)) return;
  seen.add(pair);
  if (writer.name !== undefined && !isCalled(reader, writer.name)) {
    reader.aliases!.push(writer.name);
  }
  for (const { name, aliases, type } of reader.fields!) {
    const written = writer.fields!.find((one) => one.name === name || aliases.includes(one.name));
    if (written !== undefined) align(type, written.type, seen);
  }
}

function isCalled(type: NamedType, name: string): boolean {
  return type.name === name || type.aliases?.includes(name) === true;
}

function alignBranches(
  readers: readonly NamedType[],
  writers: readonly NamedType[],
  seen: Set<string>,
): void {
  for (const writer of writers) {
    const alike = readers.filter(({ typeName }) => typeName === writer.typeName);
    const named = alike.find((one) => writer.name !== undefined && isCalled(one, writer.name));
    const match = named ?? alike[0];
    if (match !== undefined) align(match, writer, seen);
  }
}
