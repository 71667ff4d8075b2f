import {
  CommandLookupTopicResponseLookupType as LookupType,
  CommandPartitionedTopicMetadataResponseLookupType as MetadataType,
} from "../../wire/mod.ts";
import type { Command } from "../../wire/mod.ts";
import { assertMayCommand } from "../authorization.ts";
import { handleAuthResponse } from "./command_connect.ts";
import {
  handleCloseConsumer,
  handleConsumerStats,
  handleGetLastMessageId,
  handleRedeliver,
  handleSeek,
  handleSubscribe,
  handleUnsubscribe,
} from "./command_consumer.ts";
import { handleNonPersistent, subscribeNonPersistent } from "./command_non_persistent.ts";
import { handleCloseProducer, handleProducer } from "./command_producer.ts";
import {
  handleGetOrCreateSchema,
  handleGetSchema,
  handleLookup,
  handlePartitionedMetadata,
} from "./command_topic.ts";
import {
  handleGetTopics,
  handleWatchTopicList,
  handleWatchTopicListClose,
} from "./command_topic_list.ts";
import type { Session } from "./session.ts";
import { isNonPersistent } from "../topic_name.ts";
import { BrokerError, noTransactions, serverAnswer } from "../errors.ts";

/**
 * Runs a command that is not on the hot path, and answers errors as its kind of command tells them.
 *
 * @returns a promise while the command goes on, which never rejects
 */
export function handleCommand(connection: Session, command: Command): Promise<void> | undefined {
  try {
    return run(connection, command)?.catch((error) => answerError(connection, command, error));
  } catch (error) {
    answerError(connection, command, error);
    return undefined;
  }
}

function run(connection: Session, command: Command): Promise<void> | void {
  assertMayCommand(connection.broker, connection.identity.role, command);
  if (handleNonPersistent(connection, command)) return;
  switch (command.type) {
    case "PING":
      return connection.send("PONG", {});
    case "PONG":
      return;
    case "AUTH_RESPONSE":
      return handleAuthResponse(connection, command.body);
    case "PARTITIONED_METADATA":
      return handlePartitionedMetadata(connection, command.body);
    case "LOOKUP":
      return handleLookup(connection, command.body);
    case "PRODUCER":
      return handleProducer(connection, command.body);
    case "CLOSE_PRODUCER":
      return handleCloseProducer(connection, command.body);
    case "SUBSCRIBE":
      return isNonPersistent(command.body.topic)
        ? subscribeNonPersistent(connection, command.body)
        : handleSubscribe(connection, command.body);
    case "CLOSE_CONSUMER":
      return handleCloseConsumer(connection, command.body);
    case "UNSUBSCRIBE":
      return handleUnsubscribe(connection, command.body);
    case "SEEK":
      return handleSeek(connection, command.body);
    case "REDELIVER_UNACKNOWLEDGED_MESSAGES":
      return handleRedeliver(connection, command.body);
    case "GET_LAST_MESSAGE_ID":
      return handleGetLastMessageId(connection, command.body);
    case "CONSUMER_STATS":
      return handleConsumerStats(connection, command.body);
    case "GET_TOPICS_OF_NAMESPACE":
      return handleGetTopics(connection, command.body);
    case "WATCH_TOPIC_LIST":
      return handleWatchTopicList(connection, command.body);
    case "WATCH_TOPIC_LIST_CLOSE":
      return handleWatchTopicListClose(connection, command.body);
    case "GET_SCHEMA":
      return handleGetSchema(connection, command.body);
    case "GET_OR_CREATE_SCHEMA":
      return handleGetOrCreateSchema(connection, command.body);
    case "TC_CLIENT_CONNECT_REQUEST":
    case "NEW_TXN":
    case "ADD_PARTITION_TO_TXN":
    case "ADD_SUBSCRIPTION_TO_TXN":
    case "END_TXN":
      throw noTransactions();
    case "END_TXN_ON_PARTITION":
    case "END_TXN_ON_SUBSCRIPTION": {
      const { requestId, txnidMostBits, txnidLeastBits } = command.body;
      const ids = { requestId, txnidMostBits, txnidLeastBits };
      const answer = { ...ids, ...serverAnswer(noTransactions()) };
      return connection.send(`${command.type}_RESPONSE`, answer);
    }
    default:
      throw new BrokerError(`Command ${command.type} is not supported by this broker`, {
        code: "not_supported",
      });
  }
}

function requestIdOf(command: Command): bigint | undefined {
  return "requestId" in command.body ? (command.body.requestId as bigint | undefined) : undefined;
}

function answerError(connection: Session, command: Command, error: unknown): void {
  if (connection.isClosed) return;
  const requestId = requestIdOf(command);
  // What names no request can have no answer: a response of a peer that takes itself for a broker.
  if (requestId === undefined) return;
  const answer = serverAnswer(error);
  const schemaAnswer = { requestId, errorCode: answer.error, errorMessage: answer.message };
  switch (command.type) {
    case "PARTITIONED_METADATA":
      return connection.send("PARTITIONED_METADATA_RESPONSE", {
        requestId,
        response: MetadataType.Failed,
        ...answer,
      });
    case "LOOKUP":
      return connection.send("LOOKUP_RESPONSE", {
        requestId,
        response: LookupType.Failed,
        ...answer,
      });
    case "GET_SCHEMA":
      return connection.send("GET_SCHEMA_RESPONSE", schemaAnswer);
    case "GET_OR_CREATE_SCHEMA":
      return connection.send("GET_OR_CREATE_SCHEMA_RESPONSE", schemaAnswer);
    case "CONSUMER_STATS":
      return connection.send("CONSUMER_STATS_RESPONSE", schemaAnswer);
    default:
      return connection.send("ERROR", { requestId, ...answer });
  }
}
