/** An embedded broker that speaks Pulsar's binary protocol and admin interface, with its messages on disk. */
export { startBroker } from "./start.ts";
export type { BrokerHandle, StartOptions } from "./start.ts";
export { BrokerError } from "./errors.ts";
export type { BrokerErrorCode } from "./errors.ts";
export type { Durability } from "./log/mod.ts";
export type { BacklogPolicy, TopicPolicies } from "./policies/mod.ts";
export type { TlsFiles } from "./connection/mod.ts";
export { COMPATIBILITY } from "./schema/mod.ts";
export type { Compatibility } from "./schema/mod.ts";
