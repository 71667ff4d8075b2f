/**
 * A broker of the matrix: a real Pulsar, or the embedded one, each in a process of its own that can be killed and
 * started again.
 *
 * @module
 */
import type { Setup } from "./behaviours.ts";

/** What a driver is told about a broker. */
export interface BrokerAddress {
  readonly serviceUrl: string;
  readonly adminUrl: string;
  /** Only when it is secured, as everything below. */
  readonly tlsUrl?: string;
  readonly caFile?: string;
  readonly otherCaFile?: string;
  /** Of the superuser. */
  readonly token?: string;
  readonly forgedToken?: string;
  /** By role: "producer", "consumer", "nobody". */
  readonly tokens?: Readonly<Record<string, string>>;
}

/** A broker that runs. */
export interface MatrixBroker extends AsyncDisposable {
  readonly address: BrokerAddress;
  /** What it calls itself. */
  readonly version: string;
  /** Kills it as a power cut would and starts it on the same ports and data. */
  restart(): Promise<void>;
}

/** Starts one kind of broker. */
export type StartBroker = (setup: Setup, folder: string) => Promise<MatrixBroker>;

/** The roles that tokens are made for. */
export const ROLES = ["producer", "consumer", "nobody"] as const;
