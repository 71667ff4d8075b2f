/** A request to the admin interface, in its parts. */
export interface AdminRequest {
  readonly method: string;
  readonly url: URL;
  /** What the path's pattern named. */
  readonly params: Readonly<Record<string, string>>;
  /** The body as JSON; undefined where there is none. */
  json(): Promise<unknown>;
}

/** What a route answers: a JSON value, text, or undefined for 204. */
export type AdminAnswer = unknown;

/** One path and method. */
export interface Route {
  readonly method: string;
  readonly pattern: RegExp;
  readonly names: readonly string[];
  readonly handle: (request: AdminRequest) => AdminAnswer | Promise<AdminAnswer>;
}

/**
 * A route whose path names its parts as `:name`; `:name*` takes slashes too.
 *
 * @param spec e.g. `GET /admin/v2/tenants/:tenant`
 */
export function route(spec: string, handle: Route["handle"]): Route {
  const [method, path] = spec.split(" ");
  const names: string[] = [];
  const source = path!.replace(/:(\w+)(\*?)/g, (_, name: string, star: string) => {
    names.push(name);
    return star === "*" ? "(.+)" : "([^/]+)";
  });
  return { method: method!, pattern: new RegExp(`^${source}/?$`), names, handle };
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
      candidate.names.map((name, i) => [name, decodeURIComponent(match[i + 1]!)]),
    );
    return { route: candidate, params, isKnown };
  }
  return { params: {}, isKnown };
}
