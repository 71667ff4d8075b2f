import type { Broker } from "./broker.ts";
import type { AdminRequest, Route } from "./admin_router.ts";
import { route } from "./admin_router.ts";
import { namespaceOf, topicOf } from "./admin_topics.ts";
import type { NamespacePolicies } from "./catalog.ts";
import { BrokerError } from "./errors.ts";
import {
  assertCompatible,
  COMPATIBILITY,
  schemaTypeName,
  schemaTypeOf,
} from "./schema_compatibility.ts";
import type { SchemaInfo } from "./schema_compatibility.ts";
import type { SchemaVersion } from "./schema_registry.ts";
import type { BacklogPolicy } from "./topic_policies.ts";

/** Where this broker is reached; known when the first request comes. */
export interface Addresses {
  readonly url: string;
  readonly adminUrl: string;
}

const NAMESPACE = "/admin/v2/namespaces/:tenant/:namespace";
const SCHEMAS = "/admin/v2/schemas/:tenant/:namespace/:topic";
const MEBIBYTE = 1024 * 1024;

/** Clusters, brokers and the look-up of a topic over HTTP: all of them are this broker. */
export function clusterRoutes(broker: Broker, addresses: Addresses): Route[] {
  return [
    route("GET /admin/v2/clusters", () => ["standalone"]),
    route("GET /admin/v2/clusters/standalone", () => ({
      serviceUrl: addresses.adminUrl,
      brokerServiceUrl: addresses.url,
    })),
    route("GET /admin/v2/brokers/health", () => "ok"),
    route("GET /admin/v2/brokers/ready", () => "ok"),
    route("GET /admin/v2/brokers/version", () => broker.parts.systemName),
    route("GET /admin/v2/brokers/standalone", () => [new URL(addresses.adminUrl).host]),
    route("GET /lookup/v2/topic/persistent/:tenant/:namespace/:topic", (request) => {
      broker.assertUsable(topicOf(request));
      return { brokerUrl: addresses.url, httpUrl: addresses.adminUrl, nativeUrl: addresses.url };
    }),
  ];
}

/** Tenants. */
export function tenantRoutes({ catalog }: Broker): Route[] {
  const tenant = (request: AdminRequest) => {
    const found = catalog.tenant(request.params["tenant"]!);
    if (found !== undefined) return found;
    throw new BrokerError("Tenant does not exist", { code: "topic_not_found" });
  };
  return [
    route("GET /admin/v2/tenants", () => catalog.tenants()),
    route("GET /admin/v2/tenants/:tenant", tenant),
    route("PUT /admin/v2/tenants/:tenant", (request) => {
      const name = request.params["tenant"]!;
      if (!/^[\w.-]+$/.test(name)) {
        throw new BrokerError("Tenant name is not valid", { code: "invalid" });
      }
      if (catalog.tenant(name) === undefined) return catalog.putTenant(name);
      throw new BrokerError("Tenant already exist", { code: "conflict" });
    }),
    route("DELETE /admin/v2/tenants/:tenant", (request) => {
      tenant(request);
      return catalog.deleteTenant(request.params["tenant"]!);
    }),
  ];
}

/** Namespaces and those of their policies that this broker keeps to. */
export function namespaceRoutes(broker: Broker): Route[] {
  const { catalog } = broker;
  const change =
    (policies: (body: unknown) => NamespacePolicies) => async (request: AdminRequest) => {
      const namespace = namespaceOf(request);
      catalog.assertNamespace(namespace);
      await catalog.putNamespace(namespace, {
        ...catalog.policies(namespace),
        ...policies(await request.json()),
      });
    };
  return [
    route(
      "GET /admin/v2/namespaces/:tenant",
      (request) => catalog.namespaces(request.params["tenant"]),
    ),
    route(`GET ${NAMESPACE}`, (request) => {
      catalog.assertNamespace(namespaceOf(request));
      return describePolicies(broker, namespaceOf(request));
    }),
    route(`PUT ${NAMESPACE}`, (request) => {
      const namespace = namespaceOf(request);
      if (!/^[\w.-]+\/[\w.-]+$/.test(namespace)) {
        throw new BrokerError("Namespace name is not valid", { code: "invalid" });
      }
      if (catalog.policies(namespace) === undefined) return catalog.putNamespace(namespace);
      throw new BrokerError("Namespace already exists", { code: "conflict" });
    }),
    route(`DELETE ${NAMESPACE}`, (request) => {
      catalog.assertNamespace(namespaceOf(request));
      return catalog.deleteNamespace(namespaceOf(request));
    }),
    route(`POST ${NAMESPACE}/retention`, change(retentionOf)),
    route(`POST ${NAMESPACE}/backlogQuota`, change(quotaOf)),
    route(
      `POST ${NAMESPACE}/deduplication`,
      change((body) => ({ isDeduplicating: body === true })),
    ),
    route(`PUT ${NAMESPACE}/schemaCompatibilityStrategy`, change(compatibilityOf)),
  ];
}

function retentionOf(body: unknown): NamespacePolicies {
  const { retentionTimeInMinutes: minutes = 0, retentionSizeInMB: mebibytes = 0 } =
    (body ?? {}) as {
      retentionTimeInMinutes?: number;
      retentionSizeInMB?: number;
    };
  return {
    retentionMs: minutes < 0 ? -1 : minutes * 60_000,
    retentionBytes: mebibytes < 0 ? -1 : mebibytes * MEBIBYTE,
  };
}

const BACKLOG_POLICIES: readonly string[] = [
  "producer_request_hold",
  "producer_exception",
  "consumer_backlog_eviction",
];

function quotaOf(body: unknown): NamespacePolicies {
  const { limitSize, limit, policy } = (body ?? {}) as {
    limitSize?: number;
    limit?: number;
    policy?: string;
  };
  if (policy === undefined || !BACKLOG_POLICIES.includes(policy)) {
    throw new BrokerError(`The policy must be one of ${BACKLOG_POLICIES.join(", ")}`, {
      code: "invalid",
    });
  }
  return { backlogBytesMax: limitSize ?? limit ?? -1, backlogPolicy: policy as BacklogPolicy };
}

function compatibilityOf(body: unknown): NamespacePolicies {
  const found = COMPATIBILITY.find((one) => one === body);
  if (found !== undefined) return { schemaCompatibility: found };
  throw new BrokerError(`The strategy must be one of ${COMPATIBILITY.join(", ")}`, {
    code: "invalid",
  });
}

function describePolicies(broker: Broker, namespace: string): unknown {
  const policies = broker.policies(namespace);
  const minutes = policies.retentionMs < 0 ? -1 : policies.retentionMs / 60_000;
  const mebibytes = policies.retentionBytes < 0 ? -1 : policies.retentionBytes / MEBIBYTE;
  return {
    replication_clusters: ["standalone"],
    retention_policies: { retentionTimeInMinutes: minutes, retentionSizeInMB: mebibytes },
    backlog_quota_map: {
      destination_storage: { limitSize: policies.backlogBytesMax, policy: policies.backlogPolicy },
    },
    deduplicationEnabled: policies.isDeduplicating,
    schema_compatibility_strategy: broker.compatibility(namespace),
  };
}

function describeSchema({ version, type, timestampMs, data, properties }: SchemaVersion): unknown {
  return {
    version,
    type: schemaTypeName(type),
    timestamp: timestampMs,
    data: new TextDecoder().decode(data),
    properties,
  };
}

async function schemaOf(request: AdminRequest): Promise<SchemaInfo> {
  const { type, schema, properties } = (await request.json() ?? {}) as {
    type?: string;
    schema?: string;
    properties?: Record<string, string>;
  };
  if (type === undefined || schema === undefined) {
    throw new BrokerError("The body must hold type and schema", { code: "invalid" });
  }
  return {
    type: schemaTypeOf(type),
    data: new TextEncoder().encode(schema),
    properties: properties ?? {},
  };
}

/** Schemas of topics. */
export function schemaRoutes(broker: Broker): Route[] {
  const { schemas } = broker;
  const one = (request: AdminRequest) => {
    const { version } = request.params;
    const found = schemas.get(
      topicOf(request),
      version === undefined ? undefined : Number(version),
    );
    if (found !== undefined) return describeSchema(found);
    throw new BrokerError("Schema not found", { code: "topic_not_found" });
  };
  return [
    route(`GET ${SCHEMAS}/schema`, one),
    route(`GET ${SCHEMAS}/schema/:version`, one),
    route(`GET ${SCHEMAS}/schemas`, (request) => ({
      getSchemaResponses: schemas.versions(topicOf(request)).map(describeSchema),
    })),
    route(`POST ${SCHEMAS}/schema`, async (request) => {
      const name = topicOf(request);
      broker.assertUsable(name);
      const strategy = broker.compatibility(name.namespace);
      return { version: await schemas.getOrCreate(name, await schemaOf(request), strategy) };
    }),
    route(`POST ${SCHEMAS}/compatibility`, async (request) => {
      const name = topicOf(request);
      const strategy = broker.compatibility(name.namespace);
      const schema = await schemaOf(request);
      try {
        await assertCompatible(schema, schemas.versions(name), strategy);
        return { compatibility: true, schemaCompatibilityStrategy: strategy };
      } catch {
        return { compatibility: false, schemaCompatibilityStrategy: strategy };
      }
    }),
    route(`DELETE ${SCHEMAS}/schema`, (request) => {
      const version = schemas.versions(topicOf(request)).length;
      schemas.remove(topicOf(request));
      return { version };
    }),
  ];
}
