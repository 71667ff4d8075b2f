/** What namespaces and topics keep, refuse and allow: their policies as the admin interface writes them, and what they say together. */
export { AdminError, notSupported } from "./admin_error.ts";
export {
  assertQuotaFits,
  effectivePolicies,
  POLICIES,
  UNSUPPORTED_POLICIES,
} from "./namespace_policies.ts";
export type { PolicySpec, StoredPolicies } from "./namespace_policies.ts";
export { actionsOf, isGranted, permissionsOf, withEntry, withPermissions } from "./permissions.ts";
export type { Action, AuthPolicies } from "./permissions.ts";
export { backlogQuota, stringMap } from "./policy_values.ts";
export { DEFAULT_POLICIES } from "./topic_policies.ts";
export type { BacklogPolicy, InactiveTopicMode, TopicPolicies } from "./topic_policies.ts";
