/** Tokens, rights, TLS. */
import { type PulsarClient, tokenAuthentication } from "../../../../lib/pulsar/mod.ts";
import { assert, type Context, of, receive, refused, send, textOf } from "./context.ts";

async function as(c: Context, token: string | undefined): Promise<PulsarClient> {
  const authentication = token === undefined ? undefined : tokenAuthentication(token);
  return await c.open({ authentication });
}

export async function token(c: Context): Promise<void> {
  const consumer = await c.consumer();
  await send(await c.producer(), ["x"]);
  assert.equal(textOf(await receive(consumer)), "x");
}

export async function wrong_token(c: Context): Promise<void> {
  const { forgedToken } = c.config;
  c.note("forged", await refused(() => as(c, forgedToken)));
  c.note("none", await refused(() => as(c, undefined)));
  const { status } = await c.adminStatus("GET", "namespaces/public", { token: forgedToken });
  c.note("admin, forged", status);
}

export async function rights(c: Context): Promise<void> {
  const namespace = await c.namespace();
  const topic = `persistent://${namespace}/topic`;
  await c.admin("POST", `namespaces/${namespace}/permissions/producer`, ["produce"]);
  await c.admin("POST", `namespaces/${namespace}/permissions/consumer`, ["consume"]);
  const tokens = c.config.tokens!;
  const producing = await as(c, tokens["producer"]);
  const consuming = await as(c, tokens["consumer"]);
  const consumer = await consuming.openConsumer({ topic, subscription: "sub" });
  await (await producing.openProducer({ topic })).send(of("x"));
  assert.equal(textOf(await receive(consumer)), "x");
  const other = () => producing.openConsumer({ topic, subscription: "other" });
  c.note("consuming producer", await refused(other));
  c.note("producing consumer", await refused(() => consuming.openProducer({ topic })));
  const nobody = await as(c, tokens["nobody"]);
  c.note("nobody", await refused(() => nobody.openProducer({ topic })));
  const deleted = await c.adminStatus("DELETE", `namespaces/${namespace}`, {
    token: tokens["producer"],
  });
  c.note("admin", deleted.status);
}

async function overTls(
  c: Context,
  serviceUrl: string,
  caFile: string,
): Promise<PulsarClient> {
  return await c.open({ serviceUrl, caCertificates: [await Deno.readTextFile(caFile)] });
}

export async function tls(c: Context): Promise<void> {
  const client = await overTls(c, c.config.tlsUrl!, c.config.caFile!);
  const consumer = await client.openConsumer({ topic: c.topic(), subscription: "sub" });
  await (await client.openProducer({ topic: c.topic() })).send(of("x"));
  assert.equal(textOf(await receive(consumer)), "x");
}

export async function tls_refused(c: Context): Promise<void> {
  const { tlsUrl = "", caFile = "", otherCaFile = "" } = c.config;
  c.note("unknown authority", await refused(() => overTls(c, tlsUrl, otherCaFile)));
  // The certificate is for localhost and 127.0.0.1.
  const other = tlsUrl.replace("127.0.0.1", "127.0.0.2").replace("localhost", "127.0.0.2");
  c.note("another host", await refused(() => overTls(c, other, caFile)));
}
