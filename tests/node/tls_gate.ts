/** TLS in front of a broker, as a proxy or an ingress has it; its connections can be cut. */

/** A gate that is open. */
export interface TlsGate extends AsyncDisposable {
  readonly port: number;
  /** Breaks all connections; new ones are let in. */
  cut(): number;
}

/** Opens a gate to a port of 127.0.0.1, with a certificate for `localhost`. */
export function openTlsGate(
  target: { readonly port: number; readonly cert: string; readonly key: string },
): TlsGate {
  const { cert, key } = target;
  const listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key });
  const open = new Set<Deno.Conn>();
  const passing: Promise<unknown>[] = [];
  const accepting = (async () => {
    for await (const outside of listener) {
      const inside = await Deno.connect({ hostname: "127.0.0.1", port: target.port });
      open.add(outside).add(inside);
      passing.push(...[[outside, inside], [inside, outside]].map(([from, to]) =>
        // Either side may end, or be cut, at any time.
        from!.readable.pipeTo(to!.writable).catch(() => {})
      ));
    }
  })();
  const cut = () => {
    for (const connection of open) {
      try {
        connection.close();
      } catch {
        // It has ended by itself.
      }
    }
    const count = open.size / 2;
    open.clear();
    return count;
  };
  return {
    port: (listener.addr as Deno.NetAddr).port,
    cut,
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting.catch(() => {});
      cut();
      await Promise.all(passing);
    },
  };
}
