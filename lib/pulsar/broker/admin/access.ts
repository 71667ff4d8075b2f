import { AdminError } from "../policies/mod.ts";
import { namespaceOf, topicOf } from "./paths.ts";
import type { AdminRequest, Route } from "./router.ts";
import { isSuperuser, isTenantAdmin, mayList, mayLookUp, mayUse } from "../authorization.ts";
import type { Broker } from "../broker.ts";

/**
 * Whether a role may call a route, in Pulsar's words where not.
 *
 * @throws {AdminError} 401 or 403, as Pulsar has them for what the path names
 */
export function assertMayCall(
  broker: Broker,
  role: string,
  { access, method }: Route,
  request: AdminRequest,
): void {
  if (access === "open" || access === "any" || isSuperuser(broker, role)) return;
  if (access === "superuser") {
    throw new AdminError(401, "This operation requires super-user access");
  }
  const { tenant, namespace, topic } = request.params;
  if (isTenantAdmin(broker, role, tenant!)) return;
  if (topic === undefined) assertOfNamespace(broker, role, request, namespace, method);
  else assertOfTopic(broker, role, access, request);
}

function assertOfNamespace(
  broker: Broker,
  role: string,
  request: AdminRequest,
  namespace: string | undefined,
  method: string,
): void {
  const isMaking = method !== "GET" &&
    /\/admin\/v2\/namespaces\/[^/]+\/[^/]+$/.test(request.url.pathname);
  if (namespace === undefined || isMaking) {
    throw new AdminError(
      401,
      `Unauthorized to validateTenantOperation for originalPrincipal [null] and clientAppId [${role}] on tenant [${
        request.params["tenant"]
      }]`,
    );
  }
  const name = namespaceOf(request);
  // Whoever may produce or consume may see which topics there are.
  const isList = method === "GET" &&
    /\/(topics|partitioned)$|\/admin\/v2\/(non-)?persistent\/[^/]+\/[^/]+$/
      .test(request.url.pathname);
  if (isList && mayList(broker, role, name)) return;
  throw new AdminError(
    403,
    `Unauthorized to validateNamespaceOperation for ${method} on namespace [${name}]`,
  );
}

function assertOfTopic(
  broker: Broker,
  role: string,
  access: Route["access"],
  request: AdminRequest,
): void {
  const name = topicOf(request);
  const { subscription } = request.params;
  const isAllowed = access === "use"
    ? mayLookUp(broker, role, name)
    : access === "produce"
    ? mayUse(broker, role, { action: "produce", name })
    : access === "consume" &&
      mayUse(broker, role, {
        action: "consume",
        name,
        ...(subscription === undefined ? {} : { subscription }),
      });
  if (isAllowed) return;
  const isOfNamespace = /\/admin\/v2\/(non-)?persistent\/[^/]+\/[^/]+\/[^/]+$/
    .test(request.url.pathname);
  throw isOfNamespace
    ? new AdminError(
      403,
      `Unauthorized to validateNamespaceOperation for ${request.method} of a topic on namespace [${name.namespace}]`,
    )
    : new AdminError(401, `Unauthorized to validateTopicOperation on topic [${name.full}]`);
}
