import type { CommandBodies, CommandType } from "../../wire/mod.ts";
import type { Identity } from "../authentication.ts";
import type { Broker } from "../broker.ts";
import type { ClientLink, Consumer, Subscription } from "../dispatch/mod.ts";
import type { NonPersistentSubscription } from "../non_persistent_subscription.ts";
import type { NonPersistentTopic } from "../non_persistent_topic.ts";
import type { Producer, ProducerAnswers } from "../producer.ts";
import type { TopicWatcher } from "../topic_watcher.ts";

/** Request id of what answers no request: 2^64 − 1. */
export const NO_REQUEST = -1n;

/** A consumer of this connection, and what it reads from. */
export interface Attachment {
  readonly consumer: Consumer;
  readonly subscription: Subscription;
}

/** A consumer of this connection on a topic without a log. */
export interface NonPersistentAttachment {
  readonly consumer: Consumer;
  readonly subscription: NonPersistentSubscription;
  readonly topic: NonPersistentTopic;
}

/** A client's connection, as its commands need it. */
export interface Session extends ClientLink, ProducerAnswers {
  readonly broker: Broker;
  /** Where clients find this broker. */
  readonly serviceUrl: string;
  /** Who the client is. */
  identity: Identity;
  /** Who it is by its certificate, where it has shown one. */
  readonly certifiedRole: string | undefined;
  /** It can show new credentials when the old ones end. */
  canRefresh: boolean;
  /** It was asked for new credentials. */
  isChallenged: boolean;
  readonly producers: Map<number, Producer>;
  readonly consumers: Map<number, Attachment>;
  readonly nonPersistentConsumers: Map<number, NonPersistentAttachment>;
  /** Ids whose creation is under way. */
  readonly opening: Set<string>;
  /** Lists of topics that the client wants to be kept up to date, by their watchers' ids. */
  readonly watchers: Map<number, TopicWatcher>;
  /** Producers that wait for their turn, by id, and what ends their wait. */
  readonly waiting: Map<number, () => void>;
  readonly isClosed: boolean;
  /** The client has introduced itself. */
  isConnected: boolean;
  clientVersion: string;
  protocolVersion: number;
  send<Type extends CommandType>(type: Type, body: CommandBodies[Type]): void;
  /** A producer of this id is there, perhaps again. */
  addProducer(producer: Producer): void;
  /** Closes after everything was written. */
  end(): Promise<void>;
  /** Closes at once. */
  close(): void;
}
