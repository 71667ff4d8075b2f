import { utf8 } from "../../../base/mod.ts";
import { DEFAULT_MESSAGE_BYTES_MAX } from "../../wire/mod.ts";
import type { CommandAuthResponse, CommandConnect } from "../../wire/mod.ts";
import type { Identity } from "../authentication.ts";
import { BrokerError, serverAnswer } from "../errors.ts";
import { NO_REQUEST } from "./session.ts";
import type { Session } from "./session.ts";

/** The newest protocol version that is spoken here. */
export const PROTOCOL_VERSION = 21;
/** What a broker says when it wants the credentials anew (Pulsar's AuthData.REFRESH_AUTH_DATA). */
const REFRESH = utf8("PulsarAuthRefresh");
/** A client that was not asked who it is. */
export const NOBODY: Identity = { role: "", method: "none", expiresAtMs: Infinity };

function identify(
  session: Session,
  method: string | undefined,
  data: Uint8Array | undefined,
): Identity | Promise<Identity> {
  const { authenticator, isOpen } = session.broker.parts;
  const { certifiedRole } = session;
  if (method !== "token" && certifiedRole !== undefined) {
    return { role: certifiedRole, method: "tls", expiresAtMs: Infinity };
  }
  if (isOpen) return NOBODY;
  return authenticator?.authenticate(method, data) ??
    Promise.reject(new BrokerError("Failed to authenticate", { code: "authentication" }));
}

/**
 * CONNECT: the client says who it is, and the older of both protocol versions is spoken from here on.
 *
 * @returns a promise while that is being found out, which never rejects
 */
export function connect(session: Session, body: CommandConnect): Promise<void> | undefined {
  const identity = identify(session, body.authMethodName, body.authData);
  if (!(identity instanceof Promise)) {
    welcome(session, body, identity);
    return undefined;
  }
  return identity.then((known) => welcome(session, body, known), (error) => {
    if (session.isClosed) return;
    const refusal = error instanceof BrokerError
      ? error
      : new BrokerError("Failed to authenticate", { code: "authentication", cause: error });
    session.send("ERROR", { requestId: NO_REQUEST, ...serverAnswer(refusal) });
    void session.end();
  });
}

function welcome(session: Session, body: CommandConnect, identity: Identity): void {
  if (session.isClosed) return;
  const { broker } = session;
  session.identity = identity;
  session.clientVersion = body.clientVersion;
  session.protocolVersion = Math.min(body.protocolVersion ?? 0, PROTOCOL_VERSION);
  session.canRefresh = body.featureFlags?.supportsAuthRefresh === true;
  session.isConnected = true;
  session.send("CONNECTED", {
    serverVersion: broker.parts.systemName,
    protocolVersion: session.protocolVersion,
    maxMessageSize: DEFAULT_MESSAGE_BYTES_MAX,
    // What the real one says besides is about geo-replication.
    featureFlags: {
      supportsTopicWatchers: true,
      supportsGetPartitionedMetadataWithoutAutoCreation: true,
      supportsTopicWatcherReconcile: true,
    },
  });
}

/** Asks a client whose credentials have ended for new ones; one that cannot give any is sent away. */
export function challenge(session: Session): void {
  if (!session.canRefresh || session.isChallenged) {
    session.close();
    return;
  }
  session.isChallenged = true;
  session.send("AUTH_CHALLENGE", {
    challenge: { authMethodName: session.identity.method, authData: REFRESH },
    protocolVersion: session.protocolVersion,
  });
}

/** AUTH_RESPONSE: new credentials of the same role. Anything else ends the connection, as in Pulsar. */
export async function handleAuthResponse(
  session: Session,
  { response }: CommandAuthResponse,
): Promise<void> {
  const { role } = session.identity;
  try {
    const identity = await identify(session, response?.authMethodName, response?.authData);
    if (identity.role !== role) throw new Error("the role has changed");
    session.identity = identity;
    session.isChallenged = false;
  } catch {
    session.close();
  }
}
