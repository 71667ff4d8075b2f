/**
 * Who may call a route where the broker asks who somebody is: everybody, everybody with a role, those who may do everything, those who
 * administer the tenant that the path names, or those who may produce to or consume from the topic that it names.
 */
export type Access = "open" | "any" | "superuser" | "tenant" | "produce" | "consume" | "use";

/** A request to the admin interface, in its parts. */
export interface AdminRequest {
  readonly method: string;
  readonly url: URL;
  /** What the path's pattern named. */
  readonly params: Readonly<Record<string, string>>;
  /**
   * The body as JSON; undefined where there is none.
   *
   * @throws {AdminError} 400
   */
  json(): Promise<unknown>;
}

/** What a route answers: a JSON value, text, a whole response, or undefined for 204. */
export type AdminAnswer = unknown;

/** One path and method. */
export interface Route {
  readonly method: string;
  readonly pattern: RegExp;
  readonly names: readonly string[];
  readonly access: Access;
  readonly handle: (request: AdminRequest) => AdminAnswer | Promise<AdminAnswer>;
}

/**
 * A route whose path names its parts as `:name`; `:name*` takes slashes too, `:name(a|b)` only what is in the parentheses.
 *
 * @param spec e.g. `GET /admin/v2/tenants/:tenant`
 */
export function route(spec: string, handle: Route["handle"], access: Access = "tenant"): Route {
  const [method, path] = spec.split(" ");
  const names: string[] = [];
  const source = path!.replace(/:(\w+)(\*|\([^)]*\))?/g, (_, name: string, kind?: string) => {
    names.push(name);
    return kind === "*" ? "(.+)" : kind ?? "([^/]+)";
  });
  return { method: method!, pattern: new RegExp(`^${source}/?$`), names, access, handle };
}

/** The route of a path and its parameters; `isKnown` says whether the path has other methods. */
export function findRoute(
  routes: readonly Route[],
  method: string,
  path: string,
): { readonly route?: Route; readonly params: Record<string, string>; readonly isKnown: boolean } {
  let isKnown = false;
  for (const candidate of routes) {
    const match = candidate.pattern.exec(path);
    if (match === null) continue;
    isKnown = true;
    if (candidate.method !== method) continue;
    const params = Object.fromEntries(
      candidate.names.map((name, i) => [name, decodedAs(name, match[i + 1]!)]),
    );
    return { route: candidate, params, isKnown };
  }
  return { params: {}, isKnown };
}

/**
 * As Pulsar's resources read their paths: topics as fields of a form, where `+` is a space, and subscriptions once more behind that,
 * because Java's admin client encodes them twice.
 */
function decodedAs(name: string, text: string): string {
  if (name === "topic") return decoded(text.replaceAll("+", " "));
  if (name === "subscription") return decoded(decoded(text).replaceAll("+", " "));
  return decoded(text);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A stray % stands for itself.
    return text;
  }
}

/** An answer of 200 without a body: what Pulsar says of something that is not set. */
export function nothing(): Response {
  return new Response(null, { status: 200 });
}

/** A JSON answer with another status than 200. */
export function answer(status: number, value: unknown): Response {
  return Response.json(value, { status });
}
