import { lineOf } from "../base/mod.ts";
import { connectTarget, openAdmin, type PulsarTarget, type RunOptions } from "../scenarios/mod.ts";

/** Whether a Pulsar answers, and what to give a run to use it. */
export interface FoundPulsar {
  readonly isThere: boolean;
  /** For a person: what answers where, or why nothing does. */
  readonly text: string;
  /** For `weir.start`; empty where none answers. */
  readonly options: Pick<
    RunOptions,
    "pulsar" | "pulsarAdmin" | "pulsarTokenFile" | "pulsarTlsCa"
  >;
}

const BY_DEFAULT = "pulsar://127.0.0.1:6650";

/** Where a Pulsar is looked for: what the environment names, or this machine. */
function targetOf(environment: (name: string) => string | undefined): PulsarTarget {
  const named = environment("PULSAR_URL") ?? environment("WEIR_PULSAR") ?? "embedded";
  const serviceUrl = named === "embedded" ? BY_DEFAULT : named;
  const { hostname } = new URL(serviceUrl.replace(/^pulsar/, "http"));
  const isTls = serviceUrl.startsWith("pulsar+ssl:");
  return {
    serviceUrl,
    adminUrl: environment("WEIR_PULSAR_ADMIN") ??
      (isTls ? `https://${hostname}:8443` : `http://${hostname}:8080`),
    tokenFile: environment("WEIR_PULSAR_TOKEN_FILE"),
    tlsCaFile: environment("WEIR_PULSAR_TLS_CA"),
  };
}

/**
 * Looks for a Pulsar beside the embedded broker: at PULSAR_URL, else at 127.0.0.1:6650, with its admin interface at
 * WEIR_PULSAR_ADMIN, else at port 8080 of the same host; WEIR_PULSAR_TOKEN_FILE and WEIR_PULSAR_TLS_CA count too. An embedded broker that answers there is none.
 *
 * @param environment where the variables come from; the process's own unless told
 */
export async function findPulsar(
  environment: (name: string) => string | undefined = (name) => Deno.env.get(name),
): Promise<FoundPulsar> {
  const target = targetOf(environment);
  const { serviceUrl, adminUrl, tokenFile, tlsCaFile } = target;
  try {
    await using _client = await connectTarget(target);
    const name = await (await openAdmin(target)).systemName();
    if (!name.includes("Pulsar")) {
      return { isThere: false, text: `What answers at ${serviceUrl} is an ${name}`, options: {} };
    }
    return {
      isThere: true,
      text: `${name} answers at ${serviceUrl}`,
      options: {
        pulsar: serviceUrl,
        pulsarAdmin: adminUrl!,
        ...(tokenFile === undefined ? {} : { pulsarTokenFile: tokenFile }),
        ...(tlsCaFile === undefined ? {} : { pulsarTlsCa: tlsCaFile }),
      },
    };
  } catch (error) {
    return {
      isThere: false,
      text: `No Pulsar answers at ${serviceUrl}: ${lineOf(error)}`,
      options: {},
    };
  }
}
