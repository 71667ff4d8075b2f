/** What TypeScript would not let through and plain JavaScript does: told by the option's name, with what it may be. */

/** An option that is one of a few words. */
export interface Choice {
  readonly name: string;
  readonly value: unknown;
  readonly allowed: readonly string[];
}

/**
 * @param action as in `Cannot <action>: …`
 * @param choices those that are undefined have their default
 * @throws {TypeError} for the first that is none of its words
 */
export function assertChoices(action: string, choices: readonly Choice[]): void {
  for (const { name, value, allowed } of choices) {
    if (value === undefined || allowed.includes(value as string)) continue;
    throw new TypeError(
      `Cannot ${action}: ${name} is ${shown(value)}; give one of ${allowed.join(", ")}`,
    );
  }
}

/**
 * @param options each true, false or undefined
 * @throws {TypeError} for the first that is none of these
 */
export function assertFlags(action: string, options: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || typeof value === "boolean") continue;
    throw new TypeError(`Cannot ${action}: ${name} is ${shown(value)}; give true or false`);
  }
}

/**
 * @param options each a function or undefined
 * @throws {TypeError} for the first that is none of these
 */
export function assertFunctions(action: string, options: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || typeof value === "function") continue;
    throw new TypeError(`Cannot ${action}: ${name} is ${shown(value)}; give a function`);
  }
}

/** @throws {TypeError} for what cannot turn values into bytes and back, such as the name of a schema */
export function assertSchema(action: string, value: unknown): void {
  if (value === undefined) return;
  const { encode, decode } = Object(value) as {
    readonly encode: unknown;
    readonly decode: unknown;
  };
  if (typeof encode === "function" && typeof decode === "function") return;
  throw new TypeError(
    `Cannot ${action}: schema is ${
      shown(value)
    }; give one such as schema.string() or schema.avro({ … })`,
  );
}

/** @throws {TypeError} for what is no text, or none with a character in it */
export function assertName(action: string, name: string, value: unknown): void {
  if (typeof value === "string" && value !== "") return;
  throw new TypeError(`Cannot ${action}: ${name} is ${shown(value)}; give a name`);
}

function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "function") return "a function";
  return typeof value === "object" && value !== null ? "an object" : String(value);
}
