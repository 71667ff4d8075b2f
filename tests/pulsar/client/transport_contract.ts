/** What every transport does, tried on Deno's and on Node's. */
import assert from "node:assert/strict";
import tls from "node:tls";
import { tlsAuthentication } from "../../../lib/pulsar/client/auth.ts";
import { connectPulsar } from "../../../lib/pulsar/client/client.ts";
import type { OpenTransport, TlsOptions, Transport } from "../../../lib/pulsar/client/transport.ts";
import { rejectsWith } from "./setup.ts";

const TLS = new URL("./tls/", import.meta.url);

/** A throw-away authority and certificates of its: `server` is for `localhost`; used nowhere else. */
export function pem(name: string): string {
  return Deno.readTextFileSync(new URL(name, TLS));
}

const SERVER = { cert: pem("server.pem"), key: pem("server_key.pem") };
const CA = [pem("ca.pem")];
const LOOPBACK = { port: 0, hostname: "127.0.0.1" };

/** Echoes on loopback until disposed of. */
function echoServer(listener: Deno.Listener): AsyncDisposable & { readonly port: number } {
  const connections: Promise<void>[] = [];
  const serving = (async () => {
    for await (const connection of listener) {
      // A client that refuses the certificate ends the handshake.
      connections.push(connection.readable.pipeTo(connection.writable).catch(() => {}));
    }
  })();
  return {
    port: (listener.addr as Deno.NetAddr).port,
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving.catch(() => {});
      await Promise.all(connections);
    },
  };
}

/** Echoes to clients that have a certificate of the test's authority. */
async function strictServer(): Promise<AsyncDisposable & { readonly port: number }> {
  const server = tls.createServer({
    ...SERVER,
    ca: [pem("client_ca.pem")],
    requestCert: true,
    rejectUnauthorized: true,
  }, (socket) => {
    socket.on("error", () => {});
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as { port: number }).port,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => void server.close(() => resolve())),
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

/** Sends more than any buffer holds, and reads it back. */
async function assertCarriesMuch(transport: Transport): Promise<void> {
  const sent = new Uint8Array(3 << 20).map((_, i) => i ^ (i >> 8));
  const writing = (async () => {
    for (let at = 0; at < sent.length;) at += await transport.write(sent.subarray(at));
  })();
  const received = new Uint8Array(sent.length);
  for (let at = 0; at < sent.length;) at += (await transport.read(received.subarray(at)))!;
  await writing;
  assert.ok(received.every((byte, i) => byte === sent[i]));
  transport.close();
}

/** Registers the tests. */
export function transportContract(name: string, transportOf: TransportOf): void {
  plainContract(name, transportOf);
  tlsContract(name, transportOf);
  strangerContract(name, transportOf);
}

type TransportOf = (tls?: TlsOptions) => OpenTransport;

function address(port: number, host = "127.0.0.1", isTls = false) {
  return { host, port, tls: isTls };
}

function plainContract(name: string, transportOf: TransportOf): void {
  Deno.test(`${name}() moves bytes over TCP`, async () => {
    await using server = echoServer(Deno.listen(LOOPBACK));
    await assertEchoes(transportOf()(address(server.port)));
    await assertCarriesMuch(await transportOf()(address(server.port)));
  });

  Deno.test(`${name}() tells the end of the stream, and rejects reads after close()`, async () => {
    const listener = Deno.listen(LOOPBACK);
    const accepting = listener.accept();
    const open = transportOf();
    const { port } = listener.addr as Deno.NetAddr;
    const transport = await open(address(port));
    (await accepting).close();
    assert.equal(await transport.read(new Uint8Array(10)), null);
    transport.close();
    const again = listener.accept();
    const other = await open(address(port));
    const reading = assert.rejects(other.read(new Uint8Array(10)));
    other.close();
    await reading;
    (await again).close();
    listener.close();
  });

  Deno.test(`${name}() says that nothing listens there`, async () => {
    const listener = Deno.listen(LOOPBACK);
    const { port } = listener.addr as Deno.NetAddr;
    listener.close();
    const error = await rejectsWith(transportOf()(address(port)), "connection_refused");
    assert.equal(error.retryable, true);
    assert.match(error.message, new RegExp(`pulsar://127.0.0.1:${port}`));
  });
}

function tlsContract(name: string, transportOf: TransportOf): void {
  Deno.test(`${name}() moves bytes over TLS, trusting the authority that it is given`, async () => {
    await using server = echoServer(Deno.listenTls({ ...LOOPBACK, ...SERVER }));
    const open = transportOf({ caCertificates: CA });
    await assertEchoes(open(address(server.port, "localhost", true)));
    await assertCarriesMuch(await open(address(server.port, "localhost", true)));
  });

  Deno.test(`${name}() refuses a certificate of an unknown authority, or for another name`, async () => {
    await using server = echoServer(Deno.listenTls({ ...LOOPBACK, ...SERVER }));
    const { port } = server;
    const unknown = await rejectsWith(
      transportOf()(address(port, "localhost", true)),
      "tls_failed",
    );
    assert.match(unknown.cure!, /certificate authority/);
    assert.equal(unknown.retryable, false);
    const trusting = transportOf({ caCertificates: CA });
    await rejectsWith(trusting(address(port, "127.0.0.1", true)), "tls_failed");
    // … unless it is told not to look at the name; the authority still counts.
    const lax = transportOf({ caCertificates: CA, verifyHostName: false });
    await assertEchoes(lax(address(port, "127.0.0.1", true)));
    const laxUnknown = transportOf({ verifyHostName: false });
    await rejectsWith(laxUnknown(address(port, "127.0.0.1", true)), "tls_failed");
  });

  Deno.test(`${name}() shows the client's certificate`, async () => {
    await using server = await strictServer();
    const authentication = tlsAuthentication({
      certificateFile: new URL("client.pem", TLS).pathname,
      privateKeyFile: new URL("client_key.pem", TLS).pathname,
    });
    const identity = () => authentication.tlsIdentity!();
    const open = transportOf({ caCertificates: CA, identity });
    await assertEchoes(open(address(server.port, "localhost", true)));
  });
}

/** Reads what comes and hangs up. */
function silentServer(): Disposable & { readonly port: number } {
  const listener = Deno.listen(LOOPBACK);
  const serving = (async () => {
    for await (const connection of listener) {
      await connection.read(new Uint8Array(1000));
      connection.close();
    }
  })();
  serving.catch(() => {});
  return {
    port: (listener.addr as Deno.NetAddr).port,
    [Symbol.dispose]: () => listener.close(),
  };
}

function strangerContract(name: string, transportOf: TransportOf): void {
  Deno.test(`connectPulsar() over ${name}() says what listens there instead of a broker`, async () => {
    await using http = Deno.serve({ ...LOOPBACK, onListen() {} }, () => new Response("hello"));
    using silent = silentServer();
    await using tls = echoServer(Deno.listenTls({ ...LOOPBACK, ...SERVER }));
    const cases = [
      ["pulsar", http.addr.port, "invalid_service_url", /an HTTP server answers; give .* 6650/],
      ["pulsar", silent.port, "connection_lost", /before a broker introduced itself; .*ssl:/],
      ["pulsar", tls.port, "tls_failed", /speaks TLS; give pulsar\+ssl:/],
      ["pulsar+ssl", http.addr.port, "tls_failed", /speaks no TLS; give pulsar:/],
      ["pulsar+ssl", silent.port, "tls_failed", /ended while TLS shook hands; give pulsar:/],
    ] as const;
    for (const [scheme, port, code, words] of cases) {
      const serviceUrl = `${scheme}://127.0.0.1:${port}`;
      const connecting = connectPulsar({ serviceUrl, openTransport: transportOf() });
      const error = await rejectsWith(connecting, code);
      assert.match(`${error.message}; ${error.cure}`, words);
    }
  });
}
