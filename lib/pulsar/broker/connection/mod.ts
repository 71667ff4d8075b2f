/** Clients: listeners, connections, and the commands that come over them. */
export type { ListenAt, Listener, TlsFiles } from "./listener.ts";
export { acceptAll, listenError, listenPlain, listenTls } from "./listeners.ts";
