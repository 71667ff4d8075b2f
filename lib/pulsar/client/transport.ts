import type { TlsIdentity } from "./auth.ts";
import type { BrokerAddress } from "./service_url.ts";

/** What a connection needs of a socket. */
export interface Transport {
  /** Reads what is there into `target`; null at the end of the stream. */
  read(target: Uint8Array): Promise<number | null>;
  /** Writes some of the bytes; returns how many. */
  write(bytes: Uint8Array): Promise<number>;
  /** Ends both directions; reads and writes that wait are rejected. May be called again. */
  close(): void;
}

/** Opens a transport. */
export type OpenTransport = (address: BrokerAddress) => Promise<Transport>;

/** Options of TLS. */
export interface TlsOptions {
  /** PEM text of certificate authorities to trust beside the system's. */
  readonly caCertificates?: readonly string[] | undefined;
  /** Whether the certificate must be made for the host that is connected to. Default true. */
  readonly verifyHostName?: boolean | undefined;
  /** Takes any certificate, so that anybody may sit in between: for tests. Node and Bun only. Default false. */
  readonly allowInsecure?: boolean | undefined;
  /** The client's own certificate, asked for at each connect. */
  readonly identity?: (() => Promise<TlsIdentity>) | undefined;
}
