import { timingSafeEqual } from "node:crypto";
import { lineOf, messageOf, Secret, utf8, WeirError } from "../base/mod.ts";
import { type ControlCommand, parseControlCommand } from "./control_command.ts";
import type { RunFolder } from "./run_folder.ts";

/** How a run stands, as its control server says it. */
export interface ControlStatus {
  readonly runId: string;
  readonly phase: string;
  /** What the schedule asks for now, messages per second. */
  readonly targetRateMessagesPerSec: number | null;
  readonly rateMessagesPerSec: number | null;
  readonly backlogMessages: number | null;
  readonly publishUsP99: number | null;
  readonly isPaused: boolean;
  readonly elapsedSec: number;
  readonly plannedSec: number;
  /** Processes by name. */
  readonly roles: readonly string[];
  readonly restartCount: number;
}

/** What a control server opens to the outside. */
export interface ControlActions {
  status(): ControlStatus;
  /**
   * Does it, and resolves when it is done.
   *
   * @returns what was done, for a person
   */
  perform(command: ControlCommand): Promise<string>;
}

/** Where a run can be steered: `control.json`, for its owner's eyes only. */
export interface ControlAddress {
  readonly url: string;
  readonly token: string;
  readonly pid: number;
}

/** The file of a run that holds its {@link ControlAddress} while it goes on. */
export const CONTROL_FILE = "control.json";

const BODY_BYTES_MAX = 16_384;

/** Whether a host name, without its port, is this machine's own. */
export function isLoopbackHost(hostname: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/.test(hostname);
}

function isAllowedOrigin(origin: string): boolean {
  try {
    const { protocol, hostname } = new URL(origin);
    if (protocol === "vscode-webview:") return true;
    return (protocol === "http:" || protocol === "https:") && isLoopbackHost(hostname);
  } catch {
    // "null", which every sandboxed page has for an origin, and whatever else is no URL.
    return false;
  }
}

/** Decides who may steer a run, and hands commands on. */
export class ControlServer {
  readonly #token: Secret;
  readonly #actions: ControlActions;

  constructor(token: Secret, actions: ControlActions) {
    this.#token = token;
    this.#actions = actions;
  }

  /**
   * Answers one request. A page of a foreign site cannot get in by three ways at once: its Origin is refused, a name of its own that points to
   * 127.0.0.1 shows in Host, and it does not know the token.
   */
  async answer(request: Request): Promise<Response> {
    const host = request.headers.get("host") ?? "";
    if (!isLoopbackHost(host.replace(/:\d+$/, ""))) return refusal(403, "Host must be loopback");
    const origin = request.headers.get("origin");
    if (origin !== null && !isAllowedOrigin(origin)) {
      return refusal(403, "Origin must be loopback or a VS Code webview");
    }
    const response = request.method === "OPTIONS"
      ? new Response(null, { status: 204 })
      : await this.#answerKnown(request);
    return withCors(response, origin);
  }

  async #answerKnown(request: Request): Promise<Response> {
    if (!this.#isToken(request.headers.get("authorization"))) {
      return refusal(401, "The token of the run is missing or wrong; it is in control.json");
    }
    const { pathname } = new URL(request.url);
    if (pathname === "/status" && request.method === "GET") {
      return Response.json(this.#actions.status());
    }
    if (pathname === "/command" && request.method === "POST") return await this.#perform(request);
    return refusal(404, "Only GET /status and POST /command are here");
  }

  async #perform(request: Request): Promise<Response> {
    const text = await request.text();
    if (text.length > BODY_BYTES_MAX) return refusal(413, "A command is shorter");
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      return refusal(400, `A command is JSON: ${messageOf(error)}`);
    }
    try {
      const command = parseControlCommand(value);
      return Response.json({ done: await this.#actions.perform(command) });
    } catch (error) {
      const isRefusal = error instanceof WeirError || error instanceof RangeError;
      return refusal(isRefusal ? 400 : 500, lineOf(error));
    }
  }

  #isToken(header: string | null): boolean {
    const given = utf8(header ?? "");
    const wanted = utf8(`Bearer ${this.#token.reveal()}`);
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  }
}

function refusal(status: number, error: string): Response {
  return Response.json({ error }, { status });
}

function withCors(response: Response, origin: string | null): Response {
  if (origin === null) return response;
  const { headers } = response;
  headers.set("access-control-allow-origin", origin);
  headers.set("vary", "origin");
  headers.set("access-control-allow-methods", "GET, POST");
  headers.set("access-control-allow-headers", "authorization, content-type");
  // Chromium asks before a page may reach this machine at all.
  headers.set("access-control-allow-private-network", "true");
  headers.set("access-control-max-age", "600");
  return response;
}

/** Serves on a free port of 127.0.0.1, and keeps address and token in the run's folder until it ends. */
export async function serveControl(
  folder: RunFolder,
  actions: ControlActions,
): Promise<AsyncDisposable & { readonly address: ControlAddress }> {
  const token = new Secret(crypto.getRandomValues(new Uint8Array(24)).toHex());
  const control = new ControlServer(token, actions);
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    (request) => control.answer(request),
  );
  const url = `http://127.0.0.1:${server.addr.port}`;
  const address: ControlAddress = { url, token: token.reveal(), pid: Deno.pid };
  const path = folder.file(CONTROL_FILE);
  // The mode counts only for a file that is made: made aside, it is never there without it.
  await Deno.writeTextFile(`${path}.tmp`, JSON.stringify(address) + "\n", { mode: 0o600 });
  await Deno.rename(`${path}.tmp`, path);
  return {
    address,
    async [Symbol.asyncDispose]() {
      await Deno.remove(path).catch(() => {/* the folder may be gone with the run */});
      await server.shutdown();
    },
  };
}
