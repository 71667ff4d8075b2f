import { messageOf } from "../../../base/mod.ts";
import { assertMayCall } from "./access.ts";
import { backlogRoutes } from "./backlog.ts";
import { brokerRoutes, clusterRoutes, lookupRoutes } from "./cluster.ts";
import type { Addresses } from "./cluster.ts";
import { AdminError } from "../policies/mod.ts";
import { messageRoutes } from "./messages.ts";
import { namespaceRoutes, tenantRoutes } from "./namespaces.ts";
import { policyAdminRoutes } from "./policies.ts";
import { findRoute } from "./router.ts";
import type { Route } from "./router.ts";
import { schemaRoutes } from "./schemas.ts";
import { statsRoutes } from "./stats.ts";
import { subscriptionRoutes } from "./subscriptions.ts";
import { topicRoutes } from "./topics.ts";
import type { Broker } from "../broker.ts";
import { BrokerError, httpStatus } from "../errors.ts";
import { metricsPieces } from "./metrics_text.ts";
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
  /** Whether /metrics is answered to everybody, as Pulsar does, and not only to those with a role. */
  readonly areMetricsOpen?: boolean | undefined;
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
    ...backlogRoutes(broker),
    ...messageRoutes(broker),
    ...statsRoutes(broker, addresses),
    ...schemaRoutes(broker),
  ];
  return async (request) => {
    const url = new URL(request.url);
    try {
      if (broker.parts.isOpen) assertLocal(request);
      const isMetrics = /^\/metrics\/?$/.test(url.pathname);
      const role = isMetrics && options.areMetricsOpen === true
        ? ""
        : await roleOf(broker, request, url.pathname);
      if (isMetrics) return metricsResponse(broker, figures());
      return answerOf(await dispatch({ broker, routes, role }, request, url));
    } catch (error) {
      const status = error instanceof AdminError ? error.status : httpStatus(error);
      return Response.json({ reason: messageOf(error) }, { status });
    }
  };
}

function metricsResponse(broker: Broker, figures: ProcessFigures): Response {
  const pieces = metricsPieces(broker, figures);
  return new Response(ReadableStream.from(pieces).pipeThrough(new TextEncoderStream()), {
    headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" },
  });
}

function assertLocal(request: Request): void {
  // HTTP/2 has it in the address.
  const host = request.headers.get("host") ?? new URL(request.url).host;
  const origin = request.headers.get("origin");
  const isLocalOrigin = origin === null || LOCAL_HOSTS.has(hostOf(origin));
  if (LOCAL_HOSTS.has(host.replace(/:\d+$/, "")) && isLocalOrigin) return;
  throw new BrokerError(`Host ${JSON.stringify(host)} is not served`, { code: "authorization" });
}

function hostOf(origin: string): string {
  return URL.canParse(origin) ? new URL(origin).hostname : origin;
}

/** @throws {AdminError} 401 */
async function roleOf(broker: Broker, request: Request, path: string): Promise<string> {
  const { authenticator, isOpen } = broker.parts;
  if (isOpen || OPEN_PATHS.has(path)) return "";
  try {
    const identity = await authenticator?.authenticateHeader(request.headers.get("authorization"));
    if (identity !== undefined) return identity.role;
  } catch {
    // Why is nobody's business who has no right to know.
  }
  throw new AdminError(401, "Authentication required");
}

async function dispatch(
  { broker, routes, role }: {
    readonly broker: Broker;
    readonly routes: readonly Route[];
    readonly role: string;
  },
  request: Request,
  url: URL,
): Promise<unknown> {
  const { route, params, isKnown } = findRoute(routes, request.method, url.pathname);
  if (route === undefined) {
    throw new AdminError(isKnown ? 405 : 404, isKnown ? "Method Not Allowed" : "Not Found");
  }
  const at = { method: request.method, url, params, json: () => jsonOf(request) };
  if (!OPEN_PATHS.has(url.pathname)) assertMayCall(broker, role, route, at);
  return await route.handle(at);
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
