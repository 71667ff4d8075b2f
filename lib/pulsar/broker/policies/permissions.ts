import { AdminError } from "./admin_error.ts";
import type { StoredPolicies } from "./namespace_policies.ts";

/** What a role may be allowed to do, by Pulsar's names. */
export const ACTIONS = ["produce", "consume", "functions", "sources", "sinks", "packages"] as const;
/** One of {@link ACTIONS}. */
export type Action = (typeof ACTIONS)[number];

type Grants = Readonly<Record<string, readonly Action[]>>;

/** Who may do what in a namespace: the form of Pulsar's `AuthPolicies`. */
export interface AuthPolicies {
  readonly namespace_auth: Grants;
  /** By topic's full name without partition. */
  readonly destination_auth: Readonly<Record<string, Grants>>;
  /** Roles that alone may use a subscription, by its name. */
  readonly subscription_auth_roles: Readonly<Record<string, readonly string[]>>;
}

const KEY = "auth_policies";
const NONE: AuthPolicies = {
  namespace_auth: {},
  destination_auth: {},
  subscription_auth_roles: {},
};

/** The permissions in a namespace's policies. */
export function permissionsOf(stored: StoredPolicies): AuthPolicies {
  return (stored[KEY] as AuthPolicies | undefined) ?? NONE;
}

/** A namespace's policies with other permissions. */
export function withPermissions(
  stored: StoredPolicies,
  change: Partial<AuthPolicies>,
): StoredPolicies {
  return { ...stored, [KEY]: { ...permissionsOf(stored), ...change } };
}

/** @throws {AdminError} 400 where the body is no list of actions */
export function actionsOf(body: unknown): readonly Action[] {
  const isList = Array.isArray(body) && body.every((one) => ACTIONS.includes(one as Action));
  if (isList) return [...new Set(body as Action[])];
  throw new AdminError(400, `Cannot read actions: expected a list of ${ACTIONS.join(", ")}`);
}

/** A record with one entry more, or less where the value is undefined; own properties only, so no name is special. */
export function withEntry<T>(
  record: Readonly<Record<string, T>>,
  name: string,
  value: NoInfer<T> | undefined,
): Record<string, T> {
  const entries = Object.entries(record).filter(([key]) => key !== name);
  return Object.fromEntries(value === undefined ? entries : [...entries, [name, value]]);
}

/** Whether a role was granted an action on a topic, by its namespace's permissions or its own; a role `prefix*` stands for all that begin so. */
export function isGranted(
  { namespace_auth, destination_auth }: AuthPolicies,
  role: string,
  { action, topic }: { readonly action: Action; readonly topic?: string },
): boolean {
  const own = topic !== undefined && Object.hasOwn(destination_auth, topic)
    ? destination_auth[topic]!
    : {};
  return [namespace_auth, own].some((grants) =>
    Object.entries(grants).some(([name, actions]) =>
      matchesRole(name, role) && actions.includes(action)
    )
  );
}

function matchesRole(pattern: string, role: string): boolean {
  if (pattern === role) return true;
  if (pattern.endsWith("*") && role.startsWith(pattern.slice(0, -1))) return true;
  return pattern.startsWith("*") && role.endsWith(pattern.slice(1));
}
