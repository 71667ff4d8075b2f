/**
 * The Java driver: compiled into `.data/infra`, with the jars that the real broker came with, which hold the client.
 *
 * @module
 */
import { join } from "node:path";
import { findJava, type Say } from "../../../infra/java.ts";
import { PULSAR_VERSION } from "../../../infra/pulsar/options.ts";
import { bringPulsarJars, PULSAR_LIB_DIR } from "../../../infra/pulsar/server.ts";
import { UsageError } from "../../../lib/base/mod.ts";

const CLASSES_DIR = join(
  import.meta.dirname!,
  ...["..", "..", "..", ".data", "infra", "java-driver"],
);
const JAVA_MAJOR_MIN = 17;
const HEAP = "256m";

async function compile(folder: string): Promise<void> {
  const sources: string[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    if (name.endsWith(".java")) sources.push(join(folder, name));
  }
  await Deno.remove(CLASSES_DIR, { recursive: true }).catch(() => {});
  await Deno.mkdir(CLASSES_DIR, { recursive: true });
  let output: Deno.CommandOutput;
  try {
    output = await new Deno.Command("javac", {
      args: [
        ...["-Xlint:none", "-nowarn", "-proc:none", "-encoding", "UTF-8"],
        ...["-d", CLASSES_DIR, "-cp", `${PULSAR_LIB_DIR}/*`, ...sources],
      ],
      stdout: "null",
      stderr: "piped",
    }).output();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    const cure = `install a JDK (Debian: apt install openjdk-${JAVA_MAJOR_MIN}-jdk-headless)`;
    throw new UsageError("Cannot compile: there is no javac on the PATH", cure, error);
  }
  if (!output.success) {
    const words = new TextDecoder().decode(output.stderr).trim().slice(-600);
    throw new UsageError(`Cannot compile ${folder}: ${words}`);
  }
}

/**
 * Brings the jars, compiles the driver and says how to start it.
 *
 * @throws {UsageError} when there is no JDK, or it does not compile
 */
export async function bringJavaDriver(
  folder: string,
  say: Say,
): Promise<{ command: string; args: string[]; version: string }> {
  const java = await findJava(JAVA_MAJOR_MIN);
  await bringPulsarJars(say);
  say(`compiling ${folder}`);
  await compile(folder);
  return {
    command: java,
    args: [
      ...[`-Xmx${HEAP}`, "-XX:MaxDirectMemorySize=256m", "-XX:+UseSerialGC"],
      ...[
        "-Dpulsar.allocator.leak_detection=Disabled",
        `-Dlog4j2.configurationFile=${join(folder, "quiet.xml")}`,
      ],
      ...["-cp", `${CLASSES_DIR}:${PULSAR_LIB_DIR}/*`, "Driver"],
    ],
    version: `pulsar-client ${PULSAR_VERSION}`,
  };
}
