import { equalBytes, messageOf, utf8 } from "../../base/mod.ts";
import { brokerRoutes, clusterRoutes, lookupRoutes } from "./admin_cluster.ts";
import type { Addresses } from "./admin_cluster.ts";
import { AdminError } from "./admin_error.ts";
import { messageRoutes } from "./admin_messages.ts";
import { namespaceRoutes, tenantRoutes } from "./admin_namespaces.ts";
import { policyAdminRoutes } from "./admin_policies.ts";
import { findRoute } from "./admin_router.ts";
import type { Route } from "./admin_router.ts";
import { schemaRoutes } from "./admin_schemas.ts";
import { statsRoutes } from "./admin_stats.ts";
import { subscriptionRoutes } from "./admin_subscriptions.ts";
import { topicRoutes } from "./admin_topics.ts";
import type { Broker } from "./broker.ts";
import { BrokerError, httpStatus } from "./errors.ts";
import { metricsText } from "./metrics_text.ts";
import type { ProcessFigures } from "./metrics_text.ts";

const BODY_BYTES_MAX = 1024 * 1024;
/** Names of this host that a browser cannot be made to take for another's (DNS rebinding). */
const LOCAL_HOSTS: ReadonlySet<string> = new Set(["127.0.0.1", "localhost", "[::1]"]);
/** Answered without a token, as liveness probes have none. */
const OPEN_PATHS: ReadonlySet<string> = new Set([
  "/admin/v2/brokers/health",
  "/admin/v2/brokers/ready",
]);

/** What the admin interface needs. */
export interface AdminOptions {
  readonly broker: Broker;
  readonly addresses: Addresses;
  readonly figures: () => ProcessFigures;
}

/** Answers requests to the admin interface: Pulsar's paths under /admin/v2, and /metrics. */
export function adminHandler(options: AdminOptions): (request: Request) => Promise<Response> {
  const { broker, addresses, figures } = options;
  const routes = [
    ...clusterRoutes(addresses),
    ...brokerRoutes(broker, addresses),
    ...lookupRoutes(broker, addresses),
    ...tenantRoutes(broker),
    ...namespaceRoutes(broker),
    ...policyAdminRoutes(broker),
    ...topicRoutes(broker),
    ...subscriptionRoutes(broker),
    ...messageRoutes(broker),
    ...statsRoutes(broker),
    ...schemaRoutes(broker),
  ];
  return async (request) => {
    const url = new URL(request.url);
    try {
      assertLocal(request);
      if (!OPEN_PATHS.has(url.pathname)) assertToken(broker, request);
      if (/^\/metrics\/?$/.test(url.pathname)) {
        return new Response(metricsText(broker, figures()), {
          headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" },
        });
      }
      return answerOf(await dispatch(routes, request, url));
    } catch (error) {
      const status = error instanceof AdminError ? error.status : httpStatus(error);
      return Response.json({ reason: messageOf(error) }, { status });
    }
  };
}

function assertLocal(request: Request): void {
  const host = request.headers.get("host") ?? "";
  const origin = request.headers.get("origin");
  const isLocalOrigin = origin === null || LOCAL_HOSTS.has(hostOf(origin));
  if (LOCAL_HOSTS.has(host.replace(/:\d+$/, "")) && isLocalOrigin) return;
  throw new BrokerError(`Host ${JSON.stringify(host)} is not served`, { code: "authorization" });
}

function hostOf(origin: string): string {
  return URL.canParse(origin) ? new URL(origin).hostname : origin;
}

function assertToken(broker: Broker, request: Request): void {
  const { token } = broker.parts;
  if (token === undefined) return;
  const given = request.headers.get("authorization") ?? "";
  if (equalBytes(utf8(given), utf8(`Bearer ${token.reveal()}`))) return;
  throw new BrokerError("Authentication required", { code: "authentication" });
}

async function dispatch(
  routes: readonly Route[],
  request: Request,
  url: URL,
): Promise<unknown> {
  const { route, params, isKnown } = findRoute(routes, request.method, url.pathname);
  if (route === undefined) {
    throw new AdminError(isKnown ? 405 : 404, isKnown ? "Method Not Allowed" : "Not Found");
  }
  return await route.handle({ method: request.method, url, params, json: () => jsonOf(request) });
}

async function jsonOf(request: Request): Promise<unknown> {
  if (request.body === null) return undefined;
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of request.body) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > BODY_BYTES_MAX) {
      throw new AdminError(413, `The body is larger than ${BODY_BYTES_MAX} bytes`);
    }
  }
  if (text.trim() === "") return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new AdminError(400, `The body is not JSON: ${messageOf(error)}`);
  }
}

/** As Pulsar: everything is said to be JSON, plain words too. */
function answerOf(value: unknown): Response {
  if (value instanceof Response) return value;
  if (value === undefined) return new Response(null, { status: 204 });
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return new Response(text, { headers: { "content-type": "application/json" } });
}
