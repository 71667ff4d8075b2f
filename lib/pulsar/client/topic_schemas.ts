import { type ClientContext, retrying } from "./context.ts";
import { unexpected } from "./lookup.ts";
import type { SchemaInfo, WriterSchemas } from "./schema.ts";
import { serverError } from "../wire/mod.ts";

/** The versions of one topic's schema, as its broker keeps them. Answers are remembered: a version never changes. */
export class TopicSchemas implements WriterSchemas {
  readonly #context: ClientContext;
  readonly #topic: string;
  readonly #signal: AbortSignal;
  readonly #known = new Map<string, Promise<SchemaInfo | undefined>>();

  /**
   * @param topic full name of the topic, or of any of its partitions
   * @param signal ends what is asked
   */
  constructor(context: ClientContext, topic: string, signal: AbortSignal) {
    this.#context = context;
    this.#topic = topic;
    this.#signal = signal;
  }

  get(schemaVersion: Uint8Array | undefined): Promise<SchemaInfo | undefined> {
    // The newest one changes.
    if (schemaVersion === undefined) return this.#fetch(undefined);
    const key = schemaVersion.join();
    let asked = this.#known.get(key);
    if (asked === undefined) {
      asked = this.#fetch(schemaVersion);
      this.#known.set(key, asked);
      asked.catch(() => this.#known.delete(key));
    }
    return asked;
  }

  /**
   * Registers a schema, if the topic does not have it yet.
   *
   * @returns its version
   * @throws {PulsarError} `incompatible_schema`, or why it cannot be registered
   */
  async getOrCreate(schema: SchemaInfo): Promise<Uint8Array> {
    const action = `register schema ${schema.name} of ${this.#topic}`;
    return await this.#retrying(async () => {
      const connection = await this.#context.lookup.connect(this.#topic);
      const body = { topic: this.#topic, schema };
      const answer = await connection.request("GET_OR_CREATE_SCHEMA", body, action);
      if (answer.type !== "GET_OR_CREATE_SCHEMA_RESPONSE") throw unexpected(action, answer.type);
      const { errorCode, errorMessage, schemaVersion } = answer.body;
      if (errorCode !== undefined) throw serverError(action, errorCode, errorMessage);
      return schemaVersion ?? new Uint8Array(0);
    });
  }

  async #fetch(schemaVersion: Uint8Array | undefined): Promise<SchemaInfo | undefined> {
    const action = `read the schema of ${this.#topic}`;
    return await this.#retrying(async () => {
      const connection = await this.#context.lookup.connect(this.#topic);
      const body = { topic: this.#topic, schemaVersion };
      const answer = await connection.request("GET_SCHEMA", body, action);
      if (answer.type !== "GET_SCHEMA_RESPONSE") throw unexpected(action, answer.type);
      const { errorCode, errorMessage, schema } = answer.body;
      if (errorCode === undefined) return schema;
      const error = serverError(action, errorCode, errorMessage);
      if (error.code === "topic_not_found") return undefined;
      throw error;
    });
  }

  async #retrying<T>(ask: () => Promise<T>): Promise<T> {
    const { openTimeoutMs: deadlineMs } = this.#context;
    return await retrying(this.#context, ask, { deadlineMs, signal: this.#signal });
  }
}
