/** The rules of the house as data. Change them here, in the same commit as the code that needs it, and say why. */

/** What each part of `lib/` may import of the others, type imports included; the table of lib/README.md. */
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = (() => {
  const tier1 = ["base"];
  // What measures or shows latencies; apart from base, for its library takes memory.
  const measuring = ["latency"];
  const tier3 = ["avro", "contract", "base"];
  const measuringTier3 = [...tier3, ...measuring];
  const run = ["contract", "metrics", "base", ...measuring];
  const report = ["verdict", "base", ...measuring];
  const systems = ["pulsar", "sinks", "flink", "kafka", "mqtt", "telemetry"];
  const scenarios = [
    ...systems,
    ...["metrics", "stream", "load", "sensor", "run", "avro", "verdict", "contract", "base"],
    ...measuring,
  ];
  return {
    base: [],
    latency: tier1,
    contract: tier1,
    avro: tier1,
    verdict: [...tier1, ...measuring],
    pulsar: measuringTier3,
    kafka: tier3,
    mqtt: tier3,
    telemetry: tier3,
    sinks: tier3,
    flink: tier3,
    metrics: tier3,
    stream: tier3,
    load: measuringTier3,
    sensor: tier3,
    run,
    report,
    // Starts, watches and ends the processes of its run, so it stands above run.
    scenarios,
    // What weir.ts opens to cells.
    notebook: [...scenarios, "scenarios", "report"],
    weir: [...scenarios, "scenarios", "report", "notebook"],
  };
})();

/**
 * Inside a part: which of its parts may import which others, type imports included. A part is a folder, a file that is named, or "." for the
 * rest of the files beside them.
 */
export const INNER_TABLES: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = (
  () => {
    const names = ["errors.ts", "topic_name.ts"];
    const records = [...names, "log", "schema", "policies"];
    const topics = [...records, "dispatch", "."];
    return {
      // Client and broker share the wire and nothing else.
      "lib/pulsar": {
        wire: [],
        client: ["wire"],
        broker: ["wire"],
        ".": ["wire", "client", "broker"],
      },
      // What clients and people ask for goes down to the topics, from there to their subscriptions, and to the disk.
      "lib/pulsar/broker": {
        "errors.ts": [],
        "topic_name.ts": ["errors.ts"],
        log: names,
        schema: [...names, "log"],
        policies: [...names, "schema"],
        dispatch: [...names, "log", "policies"],
        ".": [...records, "dispatch"],
        connection: topics,
        admin: [...topics, "connection"],
        "start.ts": [...topics, "connection", "admin"],
        "mod.ts": [...topics, "connection", "start.ts"],
      },
    };
  }
)();

/** Outside lib/: who may import what by first folder. Tests may import any file of lib, others only a folder's mod.ts. */
export const OUTSIDE_MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  // What a person runs may bring a server or a Jupyter up first; the scripts of infra know nothing of the jobs.
  jobs: ["jobs", "lib", "infra"],
  infra: ["infra", "lib"],
  notebooks: ["notebooks", "lib"],
  // Data in TypeScript, which users copy.
  scenarios: ["scenarios", "lib"],
  tests: ["tests", "lib", "jobs", "infra", "notebooks", "scenarios"],
};

/** What is no code may be imported by its path: one truth for people, servers and weir. */
export const DATA_IMPORTS: Readonly<Record<string, string>> = {
  "infra/clickhouse/sensor_1m.sql": "the table's DDL, which people apply by hand too",
  "deno.json": "the version",
};

/** Files of base/ besides mod.ts. */
export const BASE_FILES_MAX = 10;
export const FILE_LINES_MAX = 500;
export const FUNCTION_LINES_MAX = 70;

/** A dispatch switch a protocol, and nothing else: `path#function`, and why. */
export const LONG_FUNCTIONS: Readonly<Record<string, string>> = {
  "tests/interop/broker_contract.ts#brokerContract": "a list of tests, tried on two brokers",
  "tests/interop/client_contract.ts#clientContract": "a list of tests, tried on two brokers",
  "tests/report/_fixture.ts#fixtureReport": "one object of data",
};

/** A call that is banned, where it is allowed all the same, and what to use. */
export interface BannedCall {
  readonly call: string;
  readonly allowedIn: readonly string[];
  readonly instead: string;
}

const BASE_AND_SCRIPTS = ["lib/base/", "jobs/", "infra/", "tests/"];
/** Real processes, servers and kernels take real time. */
const REAL_TESTS = [
  "tests/interop/",
  "tests/bench/",
  "tests/notebooks",
  "tests/lab/",
  "tests/golden/",
];

/** Calls that hide an input: they are passed in, or live where the system is touched. */
export const BANNED_CALLS: readonly BannedCall[] = [
  { call: "Date.now", allowedIn: BASE_AND_SCRIPTS, instead: "clock.wallMs()" },
  { call: "performance.now", allowedIn: BASE_AND_SCRIPTS, instead: "clock.monoUs()" },
  { call: "Math.random", allowedIn: BASE_AND_SCRIPTS, instead: "random.float()" },
  {
    call: "setTimeout",
    allowedIn: ["lib/base/", "jobs/", "infra/", ...REAL_TESTS],
    instead: "clock.sleep() or clock.every(), in tests the fake clock",
  },
  {
    call: "setInterval",
    allowedIn: ["lib/base/", "jobs/", "infra/", ...REAL_TESTS],
    instead: "clock.every()",
  },
  { call: "console.log", allowedIn: ["jobs/", "infra/", "tests/"], instead: "return it" },
];

/** Files that a banned call is the business of, and why. */
export const CALL_EXCEPTIONS: Readonly<Record<string, string>> = {
  "lib/report/display.ts#console.log": "the display where there is no kernel",
  "tests/run/_role.ts#setInterval": "a real process that a test kills",
};

/** Names that say nothing without a unit, refused in types of lib/. */
export const BARE_NAMES = ["timeout", "size", "delay", "interval", "duration", "latency"] as const;

/** Properties that have a bare name because someone else's interface has it: `path#name`, and whose. */
export const BARE_NAME_EXCEPTIONS: Readonly<Record<string, string>> = {};

/** What must not stand in any file: hosts of registries, and paths of somebody's machine. */
export const BANNED_TEXT: readonly { readonly pattern: RegExp; readonly what: string }[] = [
  {
    pattern: /registry\.npmjs\.org|npm\.jsr\.io|registry\.yarnpkg\.com/,
    what: "a registry's host",
  },
  { pattern: /pypi\.org|pythonhosted\.org/, what: "a registry's host" },
  { pattern: /repo1?\.maven\.(?:apache\.)?org|proxy\.golang\.org/, what: "a registry's host" },
  { pattern: /(?<![\w.~$}/])\/(?:root|work|Users)\/[\w.]/, what: "a path of one machine" },
  { pattern: /(?<![\w.~$}/])\/home\/[a-z]/, what: "a path of one machine" },
];

/** `path` of files where such a text is meant, and why. */
export const TEXT_EXCEPTIONS: Readonly<Record<string, string>> = {};

/** Files that nothing imports and that are used all the same, and by whom. */
export const USED_BY_OTHERS: Readonly<Record<string, string>> = {
  "lib/weir.ts": "exported to users of the package",
};

/** Folders that hold what is made, not what is written. */
export const SKIPPED_FOLDERS = [
  ".git",
  ".data",
  ".venv",
  ".ipynb_checkpoints",
  "node_modules",
  "runs",
  "target",
] as const;
