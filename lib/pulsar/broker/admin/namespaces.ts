import {
  actionsOf,
  AdminError,
  permissionsOf,
  stringMap,
  withEntry,
  withPermissions,
} from "../policies/mod.ts";
import { assertNamespaceThere, isSet, NAMESPACE, namespaceOf } from "./paths.ts";
import { nothing, route } from "./router.ts";
import type { AdminRequest, Route } from "./router.ts";
import type { Broker } from "../broker.ts";
import type { TenantInfo } from "../catalog.ts";
import type { StoredPolicies } from "../policies/mod.ts";
import type { Topic } from "../topic.ts";
import { parseTopicName } from "../topic_name.ts";

const NAME = /^[-=:.\w]+$/;
/** Pulsar spreads a namespace over brokers by these; here one broker has them all. */
const BUNDLES = {
  boundaries: ["0x00000000", "0x40000000", "0x80000000", "0xc0000000", "0xffffffff"],
  numBundles: 4,
};

async function tenantInfo(request: AdminRequest): Promise<TenantInfo> {
  const body = await request.json() as Partial<TenantInfo> | undefined | null;
  if (body === undefined || body === null) throw new AdminError(412, "TenantInfo is null");
  const { allowedClusters, adminRoles: roles } = body;
  // Java's admin client writes null where none were given.
  const adminRoles = roles ?? [];
  if (!Array.isArray(allowedClusters)) throw new AdminError(412, "Clusters cannot be null");
  if (allowedClusters.length === 0) throw new AdminError(412, "Clusters cannot be empty or blank");
  if (!allowedClusters.every((cluster) => cluster === "standalone")) {
    throw new AdminError(412, "Clusters do not exist");
  }
  if (!Array.isArray(adminRoles)) throw new AdminError(400, "adminRoles must be a list of roles");
  return { adminRoles: adminRoles.map(String), allowedClusters };
}

/** Tenants. */
export function tenantRoutes({ catalog }: Broker): Route[] {
  const at = "/admin/v2/tenants/:tenant";
  const nameOf = (request: AdminRequest) => request.params["tenant"]!;
  const existing = (request: AdminRequest, reason: string) => {
    const found = catalog.tenant(nameOf(request));
    if (found === undefined) throw new AdminError(404, reason);
    return found;
  };
  return [
    route("GET /admin/v2/tenants", () => catalog.tenants().sort(), "superuser"),
    route(`GET ${at}`, (request) => existing(request, "Tenant does not exist"), "superuser"),
    route(`PUT ${at}`, async (request) => {
      if (!NAME.test(nameOf(request))) throw new AdminError(412, "Tenant name is not valid");
      const info = await tenantInfo(request);
      if (catalog.tenant(nameOf(request))) throw new AdminError(409, "Tenant already exist");
      await catalog.putTenant(nameOf(request), info);
    }, "superuser"),
    route(`POST ${at}`, async (request) => {
      const info = await tenantInfo(request);
      existing(request, `Tenant ${nameOf(request)} not found`);
      await catalog.putTenant(nameOf(request), info);
    }, "superuser"),
    route(`DELETE ${at}`, (request) => {
      existing(request, "Tenant doesn't exist");
      return catalog.deleteTenant(nameOf(request));
    }, "superuser"),
  ];
}

/** Namespaces: their list, their making and removal, and all that they hold at once. */
export function namespaceRoutes(broker: Broker): Route[] {
  const { catalog } = broker;
  return [
    route("GET /admin/v2/namespaces/:tenant", (request) => {
      const tenant = request.params["tenant"]!;
      if (catalog.tenant(tenant) === undefined) throw new AdminError(404, "Tenant not found");
      return catalog.namespaces(tenant).sort();
    }),
    route(`GET ${NAMESPACE}`, (request) => describe(broker, namespaceOf(request))),
    route(`PUT ${NAMESPACE}`, async (request) => {
      const namespace = namespaceOf(request);
      if (!namespace.split("/").every((part) => NAME.test(part))) {
        throw new AdminError(412, "Namespace name is not valid");
      }
      if (catalog.tenant(request.params["tenant"]!) === undefined) {
        throw new AdminError(404, "Tenant does not exist");
      }
      if (catalog.policies(namespace)) throw new AdminError(409, "Namespace already exists");
      await catalog.putNamespace(namespace);
    }),
    route(`DELETE ${NAMESPACE}`, async (request) => {
      const namespace = namespaceOf(request);
      assertNamespaceThere(broker, namespace, `Namespace ${namespace} does not exist.`);
      if (isSet(request, "force")) {
        throw new AdminError(405, "Broker doesn't allow forced deletion of namespaces");
      }
      await catalog.deleteNamespace(namespace);
    }),
    route(`GET ${NAMESPACE}/bundles`, (request) => {
      assertNamespaceThere(broker, namespaceOf(request), "Namespace does not exist");
      return BUNDLES;
    }),
    ...contentRoutes(broker),
    ...permissionRoutes(broker),
    ...propertyRoutes(broker),
  ];
}

/** What Pulsar answers beside what was set. */
const UNSET = {
  replication_clusters: ["standalone"],
  allowed_clusters: [],
  bundles: BUNDLES,
  backlog_quota_map: {},
  clusterDispatchRate: {},
  topicDispatchRate: {},
  subscriptionDispatchRate: {},
  replicatorDispatchRate: {},
  clusterSubscribeRate: {},
  publishMaxMessageRate: {},
  latency_stats_sample_rate: {},
  deleted: false,
  encryption_required: false,
  subscription_auth_mode: "None",
  offload_threshold: -1,
  offload_threshold_in_seconds: -1,
  schema_compatibility_strategy: "UNDEFINED",
  is_allow_auto_update_schema: true,
  schema_validation_enforced: false,
  subscription_types_enabled: [],
  properties: {},
  migrated: false,
};

function describe(broker: Broker, namespace: string): unknown {
  assertNamespaceThere(broker, namespace, "Namespace does not exist");
  const stored = broker.catalog.policies(namespace)!.stored ?? {};
  return { auth_policies: permissionsOf(stored), ...UNSET, ...stored };
}

function contentRoutes(broker: Broker): Route[] {
  const bundles = [NAMESPACE, `${NAMESPACE}/:bundle(0x[0-9a-f]{8}_0x[0-9a-f]{8})`];
  const checked = (request: AdminRequest) => {
    assertNamespaceThere(broker, namespaceOf(request), "Namespace does not exist");
    return namespaceOf(request);
  };
  return [
    route(`GET ${NAMESPACE}/topics`, (request) => {
      const namespace = checked(request);
      const mode = request.url.searchParams.get("mode") ?? "PERSISTENT";
      const persistent = mode === "NON_PERSISTENT" ? [] : broker.catalog.topics(namespace);
      const others = mode === "PERSISTENT" ? [] : nonPersistentTopics(broker, namespace);
      return [...persistent, ...others];
    }),
    ...bundles.map((path) =>
      route(`PUT ${path}/unload`, (request) => broker.unloadNamespace(checked(request)))
    ),
    ...bundles.flatMap((path) => [
      route(`POST ${path}/clearBacklog`, (request) => clearBacklog(broker, checked(request))),
      route(
        `POST ${path}/clearBacklog/:subscription`,
        (request) => clearBacklog(broker, checked(request), request.params["subscription"]),
      ),
      route(
        `POST ${path}/unsubscribe/:subscription`,
        (request) => unsubscribe(broker, checked(request), request.params["subscription"]!),
      ),
    ]),
  ];
}

/** Full names of the topics without a log that somebody uses now. */
export function nonPersistentTopics(broker: Broker, namespace: string): string[] {
  return [...broker.nonPersistentTopics.values()]
    .filter(({ name }) => name.namespace === namespace)
    .map(({ name }) => name.full).sort();
}

async function eachTopic(
  broker: Broker,
  namespace: string,
  action: (topic: Topic) => void | Promise<void>,
): Promise<void> {
  for (const full of broker.catalog.topics(namespace)) {
    await action(await broker.topic(parseTopicName(full)));
  }
}

function clearBacklog(broker: Broker, namespace: string, only?: string): Promise<void> {
  return eachTopic(broker, namespace, async (topic) => {
    for (const subscription of topic.subscriptions.values()) {
      if (only !== undefined && subscription.name !== only) continue;
      subscription.reset(topic.log.last ?? topic.log.beforeFirst);
    }
    await topic.saveCursors();
  });
}

function unsubscribe(broker: Broker, namespace: string, name: string): Promise<void> {
  return eachTopic(broker, namespace, async (topic) => {
    const subscription = topic.subscriptions.get(name);
    if (subscription === undefined) return;
    if (subscription.consumers.length > 0) {
      throw new AdminError(412, "Subscription has active connected consumers");
    }
    await topic.unsubscribe(subscription);
  });
}

function permissionRoutes(broker: Broker): Route[] {
  const { catalog } = broker;
  const storedOf = (request: AdminRequest) => {
    assertNamespaceThere(broker, namespaceOf(request), "Namespace does not exist");
    return catalog.policies(namespaceOf(request))!.stored ?? {};
  };
  const grant = async (
    request: AdminRequest,
    actions: ReturnType<typeof actionsOf> | undefined,
  ) => {
    const stored = storedOf(request);
    const grants = withEntry(
      permissionsOf(stored).namespace_auth,
      request.params["role"]!,
      actions,
    );
    await catalog.putStored(
      namespaceOf(request),
      withPermissions(stored, { namespace_auth: grants }),
    );
  };
  const grantSubscription = async (request: AdminRequest, roles: string[] | undefined) => {
    const stored = storedOf(request);
    const all = permissionsOf(stored).subscription_auth_roles;
    const changed = withEntry(all, request.params["subscription"]!, roles);
    await catalog.putStored(
      namespaceOf(request),
      withPermissions(stored, { subscription_auth_roles: changed }),
    );
  };
  const path = `${NAMESPACE}/permissions`;
  return [
    route(`GET ${path}`, (request) => permissionsOf(storedOf(request)).namespace_auth),
    route(
      `GET ${path}/subscription`,
      (request) => permissionsOf(storedOf(request)).subscription_auth_roles,
    ),
    route(`POST ${path}/subscription/:subscription`, async (request) => {
      const roles = await request.json();
      if (!Array.isArray(roles)) throw new AdminError(400, "The body must be a list of roles");
      await grantSubscription(request, roles.map(String));
    }),
    route(`DELETE ${path}/:subscription/:role`, async (request) => {
      const { subscription, role } = request.params;
      const roles = permissionsOf(storedOf(request)).subscription_auth_roles[subscription!] ?? [];
      const left = roles.filter((one) => one !== role);
      await grantSubscription(request, left.length === 0 ? undefined : left);
    }),
    route(
      `POST ${path}/:role`,
      async (request) => grant(request, actionsOf(await request.json())),
    ),
    route(`DELETE ${path}/:role`, (request) => grant(request, undefined)),
  ];
}

function propertyRoutes({ catalog }: Broker): Route[] {
  const stored = (request: AdminRequest): StoredPolicies => {
    const policies = catalog.policies(namespaceOf(request));
    if (policies === undefined) throw new AdminError(404, "Namespace does not exist");
    return policies.stored ?? {};
  };
  const propertiesOf = (request: AdminRequest) =>
    (stored(request)["properties"] ?? {}) as Record<string, string>;
  const save = (request: AdminRequest, properties: Record<string, string>) =>
    catalog.putStored(namespaceOf(request), { ...stored(request), properties });
  const path = NAMESPACE;
  return [
    route(`GET ${path}/properties`, propertiesOf),
    route(`PUT ${path}/properties`, async (request) => {
      const added = stringMap(await request.json());
      await save(request, { ...propertiesOf(request), ...added });
    }),
    route(`DELETE ${path}/properties`, (request) => save(request, {})),
    route(
      `PUT ${path}/property/:key/:value`,
      (request) =>
        save(
          request,
          withEntry(propertiesOf(request), request.params["key"]!, request.params["value"]!),
        ),
    ),
    route(
      `GET ${path}/property/:key`,
      (request) => propertiesOf(request)[request.params["key"]!] ?? nothing(),
    ),
    route(`DELETE ${path}/property/:key`, async (request) => {
      const key = request.params["key"]!;
      const old = propertiesOf(request)[key];
      await save(request, withEntry(propertiesOf(request), key, undefined));
      return old ?? nothing();
    }),
  ];
}
