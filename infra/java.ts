/**
 * Java and Maven: found, checked, and used to bring the jars of a pom.
 *
 * @module
 */
import { formatBytes, systemClock, UsageError } from "../lib/base/mod.ts";

const REPORT_EVERY_MS = 2_000;

/** Where progress is told: one line a call. */
export type Say = (line: string) => void;

interface Ran {
  readonly code: number;
  readonly text: string;
}

async function run(program: string, args: string[]): Promise<Ran | undefined> {
  try {
    const output = await new Deno.Command(program, { args, stdout: "piped", stderr: "piped" })
      .output();
    const decoder = new TextDecoder();
    return {
      code: output.code,
      text: decoder.decode(output.stdout) + decoder.decode(output.stderr),
    };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** The first number of a version as `java -version` prints it: 17 for `"17.0.15"`, 8 for `"1.8.0_402"`. */
export function javaMajor(versionText: string): number | undefined {
  const match = /version "(?:1\.)?(\d+)/.exec(versionText);
  return match === null ? undefined : Number(match[1]);
}

/** `[major, minor]` as `mvn -version` prints it. */
export function mavenVersion(versionText: string): [number, number] | undefined {
  const match = /Apache Maven (\d+)\.(\d+)/.exec(versionText);
  return match === null ? undefined : [Number(match[1]), Number(match[2])];
}

/**
 * The Java to start servers with: of JAVA_HOME, else on the PATH.
 *
 * @throws {UsageError} when there is none, or it is older than `majorMin`
 */
export async function findJava(majorMin: number): Promise<string> {
  const home = Deno.env.get("JAVA_HOME");
  const program = home ? `${home}/bin/java` : "java";
  const cure =
    `install Java ${majorMin} or newer (Debian: apt install openjdk-${majorMin}-jre-headless), or set JAVA_HOME`;
  const ran = await run(program, ["-version"]);
  if (ran === undefined) {
    throw new UsageError(
      `Cannot start: there is no Java (${home ? program : "on the PATH"})`,
      cure,
    );
  }
  const major = javaMajor(ran.text);
  if (major === undefined || major < majorMin) {
    const found = major === undefined ? "of an unknown version" : `of version ${major}`;
    throw new UsageError(`Cannot start: ${program} is ${found}, ${majorMin} is needed`, cure);
  }
  return program;
}

/** Whether servers can be started here, and if not, why: for tests that must say that they skip. */
export async function missingTools(
  javaMajorMin: number,
  jarsThere: boolean,
): Promise<string | undefined> {
  try {
    await findJava(javaMajorMin);
    if (!jarsThere) await findMaven();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

async function findMaven(): Promise<string> {
  const cure = "install Maven 3.8 or newer (Debian: apt install maven)";
  const ran = await run("mvn", ["-version"]);
  if (ran === undefined) {
    throw new UsageError("Cannot download: there is no Maven (mvn) on the PATH", cure);
  }
  const version = mavenVersion(ran.text);
  const isOld = version !== undefined && (version[0] < 3 || (version[0] === 3 && version[1] < 8));
  if (isOld || version === undefined) {
    throw new UsageError(
      `Cannot download: mvn is of version ${version?.join(".") ?? "unknown"}`,
      cure,
    );
  }
  return "mvn";
}

/** What to download, and where to. */
export interface DownloadOptions {
  /** As a person calls it. */
  readonly name: string;
  readonly pomFile: string;
  readonly settingsFile: string;
  /** Folder that has the jars afterwards; it is only there when they are complete. */
  readonly libDir: string;
  /** Maven's own store. */
  readonly repositoryDir: string;
  /** How many files Maven fetches in all, for the progress: first the poms of everything, then the jars. */
  readonly fileCountAbout: number;
}

/** Whether a download was completed before. */
export async function isDownloaded(libDir: string): Promise<boolean> {
  try {
    return (await Deno.stat(libDir)).isDirectory;
  } catch {
    return false;
  }
}

/**
 * Brings the jars of a pom with all that they need at run time. Does nothing when they are there.
 *
 * @throws {UsageError} when Maven is missing or fails, with its last words and its log
 */
export async function download(options: DownloadOptions, say: Say): Promise<void> {
  const { libDir, repositoryDir } = options;
  if (await isDownloaded(libDir)) return;
  await Deno.mkdir(repositoryDir, { recursive: true });
  const lock = await Deno.open(`${repositoryDir}/download.lock`, { create: true, write: true });
  try {
    await lock.lock(true);
    if (await isDownloaded(libDir)) return;
    const maven = await findMaven();
    const partialDir = `${libDir}.partial`;
    await runMaven(
      maven,
      [...mavenArguments(options), `-DoutputDirectory=${partialDir}`],
      options,
      say,
    );
    await Deno.rename(partialDir, libDir);
  } finally {
    lock.close();
  }
}

function mavenArguments(options: DownloadOptions): string[] {
  return [
    "-B",
    ...["-gs", options.settingsFile],
    `-Dmaven.repo.local=${options.repositoryDir}`,
    "-Dstyle.color=never",
    ...["-f", options.pomFile],
    "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies",
    "-DincludeScope=runtime",
  ];
}

async function runMaven(
  maven: string,
  args: string[],
  options: DownloadOptions,
  say: Say,
): Promise<void> {
  const { name, fileCountAbout } = options;
  const logFile = `${options.repositoryDir}/download.log`;
  const log = await Deno.open(logFile, { create: true, write: true, truncate: true });
  say(`downloading ${name} with Maven, log in ${logFile}`);
  const child = new Deno.Command(maven, { args, stdin: "null", stdout: "piped", stderr: "null" })
    .spawn();
  const progress = new MavenProgress();
  const stopTelling = systemClock.every(REPORT_EVERY_MS, () => {
    say(
      `  ${progress.fileCount} of about ${fileCountAbout} files, ${
        formatBytes(progress.byteCount)
      }`,
    );
  });
  const decoder = new TextDecoder();
  for await (const chunk of child.stdout) {
    await log.write(chunk);
    progress.add(decoder.decode(chunk, { stream: true }));
  }
  stopTelling();
  log.close();
  const { code } = await child.status;
  if (code === 0) return;
  throw new UsageError(
    `Cannot download ${name}: ${progress.lastError ?? `Maven ended with code ${code}`}`,
    `see ${logFile}; a started download goes on where it stopped`,
  );
}

/** Counts the files that Maven says it has fetched, from its output in whatever pieces it comes. */
export class MavenProgress {
  fileCount = 0;
  byteCount = 0;
  /** The first line that Maven marks as an error. */
  lastError: string | undefined;
  #rest = "";

  add(text: string): void {
    const lines = (this.#rest + text).split(/[\r\n]+/);
    this.#rest = lines.pop()!;
    for (const line of lines) this.#line(line);
  }

  #line(line: string): void {
    const fetched = /^(?:\[INFO\] )?Downloaded from \S+ \S+ \(([\d.]+) (B|kB|MB)/.exec(
      line,
    );
    if (fetched !== null) {
      const unitBytes = fetched[2] === "B" ? 1 : fetched[2] === "kB" ? 1e3 : 1e6;
      this.byteCount += Number(fetched[1]) * unitBytes;
      this.fileCount++;
    } else if (line.startsWith("[ERROR]")) {
      this.lastError ??= line.slice("[ERROR]".length).trim();
    }
  }
}
