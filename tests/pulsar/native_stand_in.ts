/**
 * The words of npm:pulsar-client, spoken by our own client: where the addon is not there, what is built on it is tried with this.
 *
 * It sends and receives real messages; what it cannot show is whether the addon means the same by the same words.
 */
import { deferred } from "../../lib/pulsar/client/deferred.ts";
import type {
  LoadedAddon,
  NativeMessage,
  NativeMessageId,
} from "../../lib/pulsar/_native_addon.ts";
import {
  connectPulsar,
  type Consumer,
  MessageId,
  type Producer,
  type PulsarClient,
  tokenAuthentication,
} from "../../lib/pulsar/mod.ts";

class StandInId implements NativeMessageId {
  constructor(readonly id: MessageId) {}

  serialize(): Uint8Array {
    return MessageId.toBytes(this.id);
  }
}

class StandInProducer {
  constructor(readonly producer: Producer) {}

  async send(message: {
    data: Uint8Array;
    sequenceId: number;
    properties?: Record<string, string>;
    deliverAt?: number;
  }): Promise<NativeMessageId> {
    const { data, sequenceId, properties, deliverAt: deliverAtMs } = message;
    // As the addon does: what is given may be used again at once.
    const value = data.slice();
    return new StandInId(await this.producer.send({ value, sequenceId, properties, deliverAtMs }));
  }

  async flush(): Promise<void> {
    await this.producer.flush();
  }

  async close(): Promise<void> {
    await this.producer.close();
  }
}

class StandInConsumer {
  constructor(readonly consumer: Consumer) {}

  async batchReceive(): Promise<NativeMessage[]> {
    const messages = await this.consumer.batchReceive({ timeoutMs: 20 });
    return messages.map((message) => ({
      getData: () => message.data,
      getMessageId: () => new StandInId(message.id),
      getProperties: () => ({ ...message.properties }),
      getPublishTimestamp: () => message.publishTimeMs,
    }));
  }

  async acknowledgeCumulativeId(id: NativeMessageId): Promise<void> {
    await this.consumer.acknowledgeCumulative((id as StandInId).id);
  }

  async close(): Promise<void> {
    await this.consumer.close();
  }
}

/** What the clients were made with, as they were given it. */
export interface StandIn extends LoadedAddon {
  readonly configs: Record<string, unknown>[];
}

/** Makes the stand-in. */
export function standIn(): StandIn {
  const configs: Record<string, unknown>[] = [];

  class Client {
    readonly #opened = deferred<PulsarClient>();

    constructor(config: Record<string, unknown>) {
      configs.push(config);
      const { serviceUrl, authentication } = config as {
        serviceUrl: string;
        authentication?: { token: string };
      };
      const token = authentication === undefined
        ? undefined
        : tokenAuthentication(authentication.token);
      this.#opened.resolve(connectPulsar({ serviceUrl, authentication: token }));
    }

    async createProducer(config: Record<string, unknown>): Promise<StandInProducer> {
      configs.push(config);
      const client = await this.#opened.promise;
      return new StandInProducer(
        await client.openProducer({
          topic: config.topic as string,
          producerName: config.producerName as string,
          batching: {
            messagesMax: config.batchingMaxMessages as number,
            bytesMax: config.batchingMaxAllowedSizeInBytes as number,
            delayMs: config.batchingMaxPublishDelayMs as number,
          },
          pendingMessagesMax: config.maxPendingMessages as number,
          sendTimeoutMs: config.sendTimeoutMs as number,
        }),
      );
    }

    async subscribe(config: Record<string, unknown>): Promise<StandInConsumer> {
      configs.push(config);
      const client = await this.#opened.promise;
      return new StandInConsumer(
        await client.openConsumer({
          topic: config.topic as string,
          subscription: config.subscription as string,
          subscriptionType: "exclusive",
          initialPosition: "earliest",
        }),
      );
    }

    async close(): Promise<void> {
      await (await this.#opened.promise)[Symbol.asyncDispose]();
    }
  }

  class AuthenticationToken {
    readonly token: string;
    constructor(options: { readonly token: string }) {
      this.token = options.token;
    }
  }

  const addon = {
    Client,
    AuthenticationToken,
    MessageId: { deserialize: (bytes: Uint8Array) => new StandInId(MessageId.fromBytes(bytes)) },
  };
  return { addon, name: "npm:pulsar-client stand-in", configs };
}
