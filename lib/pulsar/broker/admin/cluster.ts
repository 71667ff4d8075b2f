import { AdminError, notSupported } from "../policies/mod.ts";
import { topicOf } from "./paths.ts";
import { nothing, route } from "./router.ts";
import type { AdminRequest, Route } from "./router.ts";
import type { Broker } from "../broker.ts";
import { topicStats } from "./topic_stats.ts";

/** Where this broker is reached; known when the first request comes. */
export interface Addresses {
  readonly url: string;
  readonly adminUrl: string;
  /** `pulsar+ssl://…`, where it is spoken. */
  readonly tlsUrl?: string | undefined;
  /** `https://…`, where it is spoken. */
  readonly adminTlsUrl?: string | undefined;
}

/** What Pulsar says of a cluster without TLS between its brokers. */
const CLUSTER_DEFAULTS = {
  brokerClientTlsEnabled: false,
  tlsAllowInsecureConnection: false,
  brokerClientTlsEnabledWithKeyStore: false,
  brokerClientTlsTrustStoreType: "JKS",
  brokerClientTlsKeyStoreType: "JKS",
  brokerClientSslFactoryPlugin: "org.apache.pulsar.common.util.DefaultPulsarSslFactory",
};
const NO_FUNCTIONS =
  "Pulsar Function Worker is not enabled, probably functionsWorkerEnabled is set to false";
/** Parts of Pulsar that can be switched off, and what it says then. */
const NOT_ENABLED = [
  ["/admin/v3/packages", "Package Management Service is not enabled in the broker."],
  [
    "/admin/v3/transactions",
    "This Broker is not configured with transactionCoordinatorEnabled=true.",
  ],
] as const;
const ONLY_BUNDLE = "0x00000000_0xffffffff";

/** Clusters: there is this one. */
export function clusterRoutes(addresses: Addresses): Route[] {
  const own = (request: AdminRequest) => {
    if (request.params["cluster"] === "standalone") return;
    throw new AdminError(404, "Cluster does not exist");
  };
  const at = "/admin/v2/clusters/:cluster";
  const refuse = () => {
    throw notSupported("A cluster of several brokers");
  };
  return [
    route("GET /admin/v2/clusters", () => ["standalone"], "open"),
    route(`GET ${at}`, (request) => {
      own(request);
      const { adminUrl, url, tlsUrl, adminTlsUrl } = addresses;
      return {
        serviceUrl: adminUrl,
        ...(adminTlsUrl === undefined ? {} : { serviceUrlTls: adminTlsUrl }),
        brokerServiceUrl: url,
        ...(tlsUrl === undefined ? {} : { brokerServiceUrlTls: tlsUrl }),
        ...CLUSTER_DEFAULTS,
      };
    }, "superuser"),
    route(`PUT ${at}`, refuse, "superuser"),
    route(`POST ${at}`, refuse, "superuser"),
    route(`DELETE ${at}`, refuse, "superuser"),
    route(`GET ${at}/peers`, (request) => {
      own(request);
      return nothing();
    }, "superuser"),
    route(`GET ${at}/failureDomains`, (request) => {
      own(request);
      return {};
    }, "superuser"),
    route(`GET ${at}/namespaceIsolationPolicies`, (request) => {
      own(request);
      throw new AdminError(
        404,
        "NamespaceIsolationPolicies for cluster standalone does not exist",
      );
    }, "superuser"),
  ];
}

/** Brokers: there is this one. */
export function brokerRoutes(broker: Broker, addresses: Addresses): Route[] {
  const brokerId = () => new URL(addresses.adminUrl).host;
  const at = "/admin/v2/brokers";
  return [
    route(`GET ${at}`, () => [brokerId()], "superuser"),
    route(`GET ${at}/health`, () => "ok", "open"),
    route(`GET ${at}/ready`, () => "ok", "open"),
    route(`GET ${at}/version`, () => broker.parts.systemName, "open"),
    route(`GET ${at}/leaderBroker`, () => ({
      serviceUrl: addresses.adminUrl,
      brokerId: brokerId(),
    }), "superuser"),
    route(`GET ${at}/configuration`, () => [], "superuser"),
    route(`GET ${at}/configuration/values`, () => ({}), "superuser"),
    route(`GET ${at}/configuration/runtime`, () => runtimeConfiguration(broker), "superuser"),
    route(`POST ${at}/configuration/:name/:value`, () => {
      throw new AdminError(412, "Can't update non-dynamic configuration");
    }, "superuser"),
    route(`DELETE ${at}/configuration/:name`, () => {
      throw new AdminError(412, "Can't update non-dynamic configuration");
    }, "superuser"),
    route(`GET ${at}/internal-configuration`, () => ({
      metadataStoreUrl: `file:${broker.parts.folder}`,
    }), "any"),
    route(`GET ${at}/backlog-quota-check`, () => {
      for (const topic of broker.topics.values()) topic.enforceQuota();
    }, "superuser"),
    route(`GET ${at}/:cluster`, () => [brokerId()], "superuser"),
    route(`GET ${at}/:cluster/:broker/ownedNamespaces`, () =>
      Object.fromEntries(
        broker.catalog.namespaces().map((namespace) => [`${namespace}/${ONLY_BUNDLE}`, {
          broker_assignment: "shared",
          is_controlled: false,
          is_active: true,
        }]),
      ), "superuser"),
  ];
}

/** What of this broker's settings has a name in Pulsar's. */
function runtimeConfiguration({ parts }: Broker): Record<string, string> {
  const { policies, durability } = parts;
  const mebibytes = (bytes: number) => String(bytes < 0 ? -1 : Math.floor(bytes / (1024 * 1024)));
  return {
    clusterName: "standalone",
    journalSyncData: String(durability === "fsync"),
    brokerDeduplicationEnabled: String(policies.isDeduplicating),
    defaultRetentionSizeInMB: mebibytes(policies.retentionBytes),
    defaultRetentionTimeInMinutes: String(
      policies.retentionMs < 0 ? -1 : Math.floor(policies.retentionMs / 60_000),
    ),
    backlogQuotaDefaultLimitBytes: String(policies.backlogBytesMax),
    backlogQuotaDefaultRetentionPolicy: policies.backlogPolicy,
    schemaCompatibilityStrategy: parts.schemaCompatibility,
    ttlDurationDefaultInSeconds: String(policies.messageTtlMs / 1000),
    allowAutoTopicCreation: String(policies.isAutoCreating),
  };
}

/** The look-up of a topic over HTTP, and statistics of the whole broker. */
export function lookupRoutes(broker: Broker, addresses: Addresses): Route[] {
  const topic = ":domain(persistent|non-persistent)/:tenant/:namespace/:topic";
  const functions = () => {
    throw new AdminError(409, NO_FUNCTIONS);
  };
  const worker = ["/admin/v2/worker/:rest*", "/admin/v2/worker-stats/:rest*"];
  const connectors = [":version(v2|v3)/functions", "v3/functions", "v3/source", "v3/sources"]
    .concat(
      ["v3/sink", "v3/sinks"],
    )
    .flatMap((path) => [`/admin/${path}`, `/admin/${path}/:rest*`]);
  return [
    route(`GET /lookup/v2/topic/${topic}`, (request) => {
      broker.assertUsable(topicOf(request));
      const { url, adminUrl, tlsUrl = "" } = addresses;
      return { brokerUrl: url, httpUrl: adminUrl, nativeUrl: url, brokerUrlSsl: tlsUrl };
    }, "use"),
    route(`GET /lookup/v2/topic/${topic}/bundle`, (request) => {
      broker.assertUsable(topicOf(request));
      return ONLY_BUNDLE;
    }, "use"),
    ...[...worker, ...connectors].flatMap((path) =>
      ["GET", "POST", "PUT", "DELETE"].map((method) => route(`${method} ${path}`, functions, "any"))
    ),
    ...NOT_ENABLED.flatMap(([path, reason]) =>
      ["GET", "POST", "PUT", "DELETE"].map((method) =>
        route(`${method} ${path}/:rest*`, () => {
          throw new AdminError(503, reason);
        }, "any")
      )
    ),
    route("GET /admin/v2/broker-stats/topics", () => allTopicStats(broker), "superuser"),
    route("GET /admin/v2/broker-stats/metrics", () => [], "superuser"),
    route("GET /admin/v2/broker-stats/load-report", () => undefined, "superuser"),
    route("GET /admin/v2/resourcegroups", () => [], "superuser"),
    route("GET /admin/v2/bookies/racks-info", () => ({}), "superuser"),
    route("GET /admin/v2/bookies/all", () => ({ bookies: [] }), "superuser"),
  ];
}

/** By namespace, bundle, kind and topic. */
function allTopicStats(broker: Broker): Record<string, unknown> {
  const all: Record<string, Record<string, { persistent: Record<string, unknown> }>> = {};
  for (const topic of broker.topics.values()) {
    const bundles = all[topic.name.namespace] ??= { [ONLY_BUNDLE]: { persistent: {} } };
    bundles[ONLY_BUNDLE]!.persistent[topic.name.full] = topicStats(topic);
  }
  return all;
}
