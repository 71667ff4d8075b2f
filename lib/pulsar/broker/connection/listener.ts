import type { Socket } from "./connection.ts";

/** A certificate and its key as PEM, and who signs those of clients, where they must have some. */
export interface TlsFiles {
  readonly certPem: string;
  readonly keyPem: string;
  /** Clients without a certificate of one of these are refused; the common name of others is their role. */
  readonly clientCaPem?: string | undefined;
}

/** A client that has come in. */
export interface Arrival {
  readonly socket: Socket;
  /** `host:port` */
  readonly address: string;
  /** Who it is by its certificate, where it has shown one. */
  readonly role?: string | undefined;
}

/** Where clients come in. */
export interface Listener {
  readonly port: number;
  /** The next client; rejects when the listener is closed, and when one could not be let in. */
  accept(): Promise<Arrival>;
  /** Resolves when the port is free again. */
  close(): Promise<void>;
}

/** Where to listen, and the flag that says so, for error messages. */
export interface ListenAt {
  readonly host: string;
  readonly port: number;
  readonly flag: string;
}
