import { Secret } from "../base/mod.ts";
import type { Producer, Source } from "../contract.ts";
import {
  connectPulsar,
  PulsarAdmin,
  type PulsarClient,
  tokenAuthentication,
} from "../pulsar/mod.ts";
import { SENSOR_SCHEMA_JSON } from "../sensor/mod.ts";
import type { PulsarTarget } from "./config.ts";

async function readToken({ tokenFile }: PulsarTarget): Promise<Secret | undefined> {
  return tokenFile === undefined
    ? undefined
    : new Secret((await Deno.readTextFile(tokenFile)).trim());
}

async function readCaCertificates({ tlsCaFile }: PulsarTarget): Promise<string[]> {
  return tlsCaFile === undefined ? [] : [await Deno.readTextFile(tlsCaFile)];
}

async function connect(target: PulsarTarget): Promise<PulsarClient> {
  const token = await readToken(target);
  return await connectPulsar({
    serviceUrl: target.serviceUrl,
    authentication: token === undefined ? undefined : tokenAuthentication(token),
    caCertificates: await readCaCertificates(target),
  });
}

/** The admin interface of a target. */
export async function openAdmin(target: PulsarTarget): Promise<PulsarAdmin> {
  return new PulsarAdmin({
    url: target.adminUrl!,
    token: await readToken(target),
    caCertificates: await readCaCertificates(target),
  });
}
