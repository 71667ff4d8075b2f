/**
 * The files and arguments that a standalone Pulsar is started with: pure functions of the options.
 *
 * @module
 */

/** What the configuration depends on. */
export interface PulsarConfig {
  readonly port: number;
  readonly adminPort: number;
  readonly journalSync: boolean;
  readonly auth: AuthConfig | undefined;
  /** Keys that go over everything else. */
  readonly conf: Readonly<Record<string, string>>;
}

export interface AuthConfig {
  /** Absolute path of the HS256 secret. */
  readonly secretFile: string;
  /** A token of the superuser, which the broker itself uses to call its own admin interface. */
  readonly adminToken: string;
}

/** The role that may do everything when tokens are asked for. */
export const ADMIN_ROLE = "admin";

/**
 * The text of standalone.conf. What is not named keeps the broker's default; notably broker
 * deduplication stays off and schema compatibility stays FULL.
 */
export function renderStandaloneConf(config: PulsarConfig): string {
  const keys: Record<string, string | number | boolean> = {
    clusterName: "standalone",
    brokerServicePort: config.port,
    webServicePort: config.adminPort,
    bindAddress: "127.0.0.1",
    advertisedAddress: "127.0.0.1",
    // Without these two the bookie listens on every address of the host.
    listeningInterface: "lo",
    allowLoopback: true,
    // One 5 MiB message and its frame; with less, a chunk of the maximum size is tried for ever.
    nettyMaxFrameSizeBytes: 5_253_120,
    journalSyncData: config.journalSync,
    journalMaxGroupWaitMSec: 1,
    ledgerStorageClass: "org.apache.bookkeeper.bookie.storage.ldb.DbLedgerStorage",
    // Of direct memory; the defaults are a quarter of it each.
    dbStorage_writeCacheMaxSizeMb: 128,
    dbStorage_readAheadCacheMaxSizeMb: 64,
    diskUsageThreshold: 0.99,
    diskUsageWarnThreshold: 0.99,
    managedLedgerDefaultEnsembleSize: 1,
    managedLedgerDefaultWriteQuorum: 1,
    managedLedgerDefaultAckQuorum: 1,
    managedLedgerCacheSizeMB: 128,
    acknowledgmentAtBatchIndexLevelEnabled: true,
    // A topic without clients must not vanish in the middle of a test or a lesson.
    brokerDeleteInactiveTopicsEnabled: false,
    transactionCoordinatorEnabled: false,
    loadBalancerEnabled: false,
    loadManagerClassName: "org.apache.pulsar.broker.loadbalance.NoopLoadManager",
    ...authKeys(config.auth),
    ...config.conf,
  };
  return Object.entries(keys).map(([key, value]) => `${key}=${value}\n`).join("");
}

function authKeys(auth: AuthConfig | undefined): Record<string, string | boolean> {
  if (auth === undefined) return {};
  return {
    authenticationEnabled: true,
    authorizationEnabled: true,
    authenticationProviders: "org.apache.pulsar.broker.authentication.AuthenticationProviderToken",
    tokenSecretKey: `file://${auth.secretFile}`,
    superUserRoles: ADMIN_ROLE,
    brokerClientAuthenticationPlugin: "org.apache.pulsar.client.impl.auth.AuthenticationToken",
    brokerClientAuthenticationParameters: `token:${auth.adminToken}`,
  };
}

/** Where things are. */
export interface PulsarPaths {
  /** Folder of the jars. */
  readonly libDir: string;
  /** Folder of one server: configuration, data, logs. */
  readonly dataDir: string;
  readonly log4j2File: string;
}

const OPENED_PACKAGES = [
  "java.base/sun.net",
  "java.base/java.net",
  "java.base/java.nio",
  "java.base/jdk.internal.misc",
  "java.base/jdk.internal.platform",
  "java.base/java.lang",
  "java.base/sun.nio.ch",
  "java.base/java.util.zip",
  "java.management/sun.management",
  "jdk.management/com.sun.management.internal",
];

/** A word in the arguments that tells the server of this data folder from every other process. */
export function serverMark(dataDir: string): string {
  return `-Dweir.infra.pulsar=${dataDir}`;
}

function doubled(heapSize: string): string {
  return `${2 * Number.parseInt(heapSize)}${heapSize.at(-1)}`;
}

/** The arguments of `java`. */
export function javaArguments(paths: PulsarPaths, heapSize: string): string[] {
  const { dataDir } = paths;
  return [
    serverMark(dataDir),
    `-Dweir.log=${dataDir}/pulsar.log`,
    `-Dlog4j2.configurationFile=${paths.log4j2File}`,
    `-Xms${heapSize}`,
    `-Xmx${heapSize}`,
    `-XX:MaxDirectMemorySize=${doubled(heapSize)}`,
    "-XX:+UseG1GC",
    "-XX:MaxGCPauseMillis=10",
    "-XX:+ExitOnOutOfMemoryError",
    "-XX:-RestrictContended",
    `-XX:ErrorFile=${dataDir}/java_error.log`,
    "-Dio.netty.leakDetectionLevel=disabled",
    "-Dpulsar.allocator.exit_on_oom=true",
    "-Djava.net.preferIPv4Stack=true",
    ...OPENED_PACKAGES.flatMap((name) => ["--add-opens", `${name}=ALL-UNNAMED`]),
    ...["-cp", `${paths.libDir}/*`],
    "org.apache.pulsar.PulsarStandaloneStarter",
    ...["--config", `${dataDir}/standalone.conf`],
    ...["--metadata-dir", `${dataDir}/metadata`],
    ...["--bookkeeper-dir", `${dataDir}/bookkeeper`],
    ...["--num-bookies", "1"],
    // No functions worker and no stream storage.
    ...["-nfw", "-nss"],
    ...["-a", "127.0.0.1"],
  ];
}
