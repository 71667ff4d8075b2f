/**
 * The embedded broker with tokens and TLS, in a process of its own:
 *
 *     deno run --allow-all secured_broker.ts FOLDER SECRET_FILE CERTIFICATE_FILE KEY_FILE
 *
 * Says where it is in one line of JSON and ends with its standard input.
 */
import { startBroker } from "../../../lib/pulsar/mod.ts";
import { ADMIN_ROLE } from "../../../infra/pulsar/config.ts";

if (import.meta.main) {
  const [folder, secretFile, certificateFile, keyFile] = Deno.args as [
    string,
    string,
    string,
    string,
  ];
  const broker = await startBroker({
    folder,
    port: 0,
    adminPort: 0,
    tlsPort: 0,
    adminTlsPort: 0,
    tokenSecretKey: await Deno.readFile(secretFile),
    superusers: [ADMIN_ROLE],
    tls: {
      certPem: await Deno.readTextFile(certificateFile),
      keyPem: await Deno.readTextFile(keyFile),
    },
  });
  const { url, adminUrl, tlsUrl } = broker;
  console.log(JSON.stringify({ url, adminUrl, tlsUrl }));
  await Deno.stdin.readable.pipeTo(new WritableStream());
  await broker[Symbol.asyncDispose]();
}
