import { lineOf } from "../../../base/mod.ts";
import { AdminError, stringMap } from "../policies/mod.ts";
import { assertNamespaceThere, topicOf } from "./paths.ts";
import { answer, route } from "./router.ts";
import type { AdminRequest, Route } from "./router.ts";
import type { Broker } from "../broker.ts";
import { SchemaType } from "../../wire/mod.ts";
import {
  assertCompatible,
  keyValueData,
  keyValueText,
  schemaTypeName,
  schemaTypeOf,
} from "../schema/mod.ts";
import type { SchemaInfo, SchemaVersion } from "../schema/mod.ts";

const SCHEMAS = "/admin/v2/schemas/:tenant/:namespace/:topic";

function describeSchema(schema: SchemaVersion): unknown {
  const { version, type, timestampMs, data, properties } = schema;
  return {
    version,
    type: schemaTypeName(type),
    timestamp: timestampMs,
    data: type === SchemaType.KeyValue ? keyValueText(schema) : new TextDecoder().decode(data),
    properties,
  };
}

async function schemaOf(request: AdminRequest): Promise<SchemaInfo> {
  const { type, schema, properties } = (await request.json() ?? {}) as {
    type?: string;
    schema?: string;
    properties?: unknown;
  };
  if (typeof type !== "string") throw new AdminError(422, "The body must hold type and schema");
  const number = schemaTypeOf(type);
  return {
    type: number,
    data: number === SchemaType.KeyValue
      ? keyValueData(schema ?? "")
      : new TextEncoder().encode(schema ?? ""),
    properties: stringMap(properties),
  };
}

function versionOf(request: AdminRequest): number | undefined {
  const { version } = request.params;
  if (version === undefined) return undefined;
  if (/^-?\d+$/.test(version)) return Number(version);
  throw new AdminError(500, `For input string: ${JSON.stringify(version)}`);
}

/** Schemas of topics. */
export function schemaRoutes(broker: Broker): Route[] {
  const { schemas } = broker;
  const nameOf = (request: AdminRequest) => {
    const name = topicOf(request);
    assertNamespaceThere(broker, name.namespace);
    return name;
  };
  const one = (request: AdminRequest) => {
    const found = schemas.get(nameOf(request), versionOf(request));
    if (found === undefined) throw new AdminError(404, "Schema not found");
    return describeSchema(found);
  };
  return [
    route(`GET ${SCHEMAS}/schema`, one, "use"),
    route(`GET ${SCHEMAS}/schema/:version`, one, "use"),
    route(`GET ${SCHEMAS}/schemas`, (request) => ({
      getSchemaResponses: schemas.versions(nameOf(request)).map(describeSchema),
    }), "use"),
    route(`POST ${SCHEMAS}/schema`, async (request) => {
      const name = nameOf(request);
      const strategy = broker.compatibility(name.namespace);
      const version = await schemas.getOrCreate(name, await schemaOf(request), strategy);
      return { version: { version } };
    }, "produce"),
    route(`POST ${SCHEMAS}/compatibility`, async (request) => {
      const name = nameOf(request);
      const strategy = broker.compatibility(name.namespace);
      const schema = await schemaOf(request);
      try {
        await assertCompatible(schema, schemas.versions(name), strategy);
      } catch (error) {
        // As Pulsar, whose clients take this for "no".
        throw new AdminError(
          500,
          `\n --- An unexpected error occurred in the server ---\n\nMessage: ${lineOf(error)}`,
        );
      }
      return answer(202, { schemaCompatibilityStrategy: strategy, compatibility: true });
    }, "use"),
    route(`POST ${SCHEMAS}/version`, async (request) => {
      const version = schemas.find(nameOf(request), await schemaOf(request));
      if (version === undefined) throw new AdminError(404, "Schema not found");
      return { version };
    }, "use"),
    route(`GET ${SCHEMAS}/metadata`, (request) => {
      const versions = schemas.versions(nameOf(request));
      if (versions.length === 0) throw new AdminError(404, "Schema not found");
      const index = versions.map(({ version }) => ({ ledgerId: -1, entryId: version, version }));
      return { info: index.at(-1), index };
    }, "use"),
    route(`DELETE ${SCHEMAS}/schema`, async (request) => {
      if (request.url.searchParams.get("force") !== "true") {
        return { version: await schemas.delete(nameOf(request)) };
      }
      await schemas.remove(nameOf(request));
      return { version: -1 };
    }),
  ];
}
