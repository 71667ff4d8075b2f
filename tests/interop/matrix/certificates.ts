/**
 * Certificates for one run: an authority, a server certificate of it for 127.0.0.1 and localhost, and an authority
 * that nobody should trust. Made with openssl, so that no secret and no date of expiry is in the project.
 *
 * @module
 */
import { join } from "node:path";

/** Absolute paths of PEM files. */
export interface Certificates {
  readonly caFile: string;
  readonly otherCaFile: string;
  readonly serverFile: string;
  readonly serverKeyFile: string;
}

async function openssl(args: readonly string[], folder: string): Promise<void> {
  const { success, stderr } = await new Deno.Command("openssl", {
    args: [...args],
    cwd: folder,
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) {
    throw new Error(`Cannot make certificates: ${new TextDecoder().decode(stderr).slice(-300)}`);
  }
}

const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];

async function makeAuthority(folder: string, name: string): Promise<string> {
  await openssl([
    ...["req", "-x509", ...KEY, "-subj", `/CN=weir test ${name}`],
    ...["-addext", "basicConstraints=critical,CA:TRUE"],
    ...["-keyout", `${name}.key`, "-out", `${name}.pem`],
  ], folder);
  return join(folder, `${name}.pem`);
}

/** Makes them in `folder`, which must be there. */
export async function makeCertificates(folder: string): Promise<Certificates> {
  const caFile = await makeAuthority(folder, "authority");
  const otherCaFile = await makeAuthority(folder, "stranger");
  await openssl([
    ...["req", ...KEY, "-subj", "/CN=localhost"],
    ...["-keyout", "server.ec.key", "-out", "server.csr"],
  ], folder);
  await Deno.writeTextFile(
    join(folder, "server.ext"),
    "subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n",
  );
  await openssl([
    ...["x509", "-req", "-in", "server.csr", "-CA", "authority.pem", "-CAkey", "authority.key"],
    ...["-CAcreateserial", "-days", "2", "-extfile", "server.ext", "-out", "server.pem"],
  ], folder);
  // PKCS #8, the form that Java reads.
  const [from, to] = ["server.ec.key", "server.key"];
  await openssl(["pkcs8", "-topk8", "-nocrypt", "-in", from, "-out", to], folder);
  return {
    caFile,
    otherCaFile,
    serverFile: join(folder, "server.pem"),
    serverKeyFile: join(folder, "server.key"),
  };
}
