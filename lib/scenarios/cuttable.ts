import type { OpenTransport, Transport } from "../pulsar/mod.ts";

/** Connections that can be broken on purpose, as a network does it: without a word to either side. */
export class CuttableConnections {
  readonly #open = new Set<Transport>();

  /** Opens as `inner` does, and remembers what is open. */
  through(inner: OpenTransport): OpenTransport {
    return async (address) => {
      const transport = await inner(address);
      const tracked: Transport = {
        read: (target) => transport.read(target),
        write: (bytes) => transport.write(bytes),
        close: () => {
          this.#open.delete(tracked);
          transport.close();
        },
      };
      this.#open.add(tracked);
      return tracked;
    };
  }

  /**
   * Breaks every connection that is open; whoever uses them finds out by itself and connects again.
   *
   * @returns how many there were
   */
  cut(): number {
    const open = [...this.#open];
    for (const transport of open) transport.close();
    return open.length;
  }
}
