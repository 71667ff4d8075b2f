import assert from "node:assert/strict";
import { denoTransport, type Transport } from "../../../lib/pulsar/client/transport.ts";
import { rejectsWith } from "./setup.ts";

const TLS = new URL("./tls/", import.meta.url);

/** A throw-away authority and a certificate of its for `localhost`; used nowhere else. */
function pem(name: string): string {
  return Deno.readTextFileSync(new URL(name, TLS));
}

/** Echoes on loopback until disposed of. */
function echoServer(listener: Deno.Listener): AsyncDisposable & { readonly port: number } {
  const serving = (async () => {
    for await (const connection of listener) {
      // A client that refuses the certificate ends the handshake.
      await connection.readable.pipeTo(connection.writable).catch(() => {});
    }
  })();
  return {
    port: (listener.addr as Deno.NetAddr).port,
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving.catch(() => {});
    },
  };
}

async function assertEchoes(open: Promise<Transport>) {
  const transport = await open;
  const sent = new Uint8Array([1, 2, 3]);
  assert.equal(await transport.write(sent), 3);
  const target = new Uint8Array(10);
  assert.equal(await transport.read(target), 3);
  assert.deepEqual(target.subarray(0, 3), sent);
  transport.close();
  transport.close();
}

Deno.test("denoTransport() moves bytes over TCP", async () => {
  await using server = echoServer(Deno.listen({ port: 0, hostname: "127.0.0.1" }));
  await assertEchoes(denoTransport()({ host: "127.0.0.1", port: server.port, tls: false }));
});

Deno.test("denoTransport() moves bytes over TLS, trusting the authority that it is given", async () => {
  const options = {
    port: 0,
    hostname: "127.0.0.1",
    cert: pem("server.pem"),
    key: pem("server_key.pem"),
  };
  await using server = echoServer(Deno.listenTls(options));
  const open = denoTransport({ caCertificates: [pem("ca.pem")] });
  await assertEchoes(open({ host: "localhost", port: server.port, tls: true }));
});

Deno.test("denoTransport() refuses a certificate of an unknown authority, or for another name", async () => {
  const options = {
    port: 0,
    hostname: "127.0.0.1",
    cert: pem("server.pem"),
    key: pem("server_key.pem"),
  };
  await using server = echoServer(Deno.listenTls(options));
  const { port } = server;
  const unknown = await rejectsWith(
    denoTransport()({ host: "localhost", port, tls: true }),
    "tls_failed",
  );
  assert.match(unknown.cure!, /certificate authority/);
  const trusting = denoTransport({ caCertificates: [pem("ca.pem")] });
  await rejectsWith(trusting({ host: "127.0.0.1", port, tls: true }), "tls_failed");
});

Deno.test("denoTransport() says that nothing listens there", async () => {
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  const error = await rejectsWith(
    denoTransport()({ host: "127.0.0.1", port, tls: false }),
    "connection_refused",
  );
  assert.equal(error.retryable, true);
  assert.match(error.message, new RegExp(`pulsar://127.0.0.1:${port}`));
});
