/** Waits until a broker has said all that it has to say. */
import { systemClock } from "../../../lib/base/mod.ts";
import { readStats, type TopicFigures } from "./topic_stats.ts";
import type { TopicView } from "./shape.ts";

const ROUND_MS = 5;
const ROUNDS_MAX = 2_000;
/** Rounds that what must still come is waited for at most; then it is a difference. */
const PATIENCE_FACTOR = 20;

function heardCount(world: TopicView): number {
  return world.subscriptions.flatMap(({ consumers }) => consumers)
    .reduce(
      (sum, { connection }) => sum + connection.events.length + (connection.isClosed ? 1 : 0),
      0,
    );
}

/** Whether the figures say that more entries are to come: somebody may have them and nobody has. */
function isOwed(world: TopicView, figures: TopicFigures | undefined): boolean {
  return world.subscriptions.some((subscription) => {
    const own = figures?.subscriptions[subscription.name];
    const hasPermits = subscription.consumers.some(({ permits }) => permits > 0);
    const fresh = subscription.consumers.reduce(
      (sum, { connection, seen }) => sum + connection.events.length - seen,
      0,
    );
    return own !== undefined && hasPermits &&
      own.msgBacklog > subscription.outstandingCount + fresh;
  });
}

/**
 * Resolves when nothing has come, and no figure has changed, for the broker's number of quiet rounds; each round asks every connection
 * for a PONG, behind which nothing is under way, and the admin interface for the topic's figures.
 */
export async function settle(world: TopicView): Promise<void> {
  const { quietRounds } = world.broker;
  let before = "";
  let quiet = 0;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const connections = world.subscriptions.flatMap(({ consumers }) => consumers);
    await Promise.all(connections.map(({ connection }) => connection.ping()));
    const figures = await readStats(world);
    const now = JSON.stringify([heardCount(world), figures]);
    quiet = now === before ? quiet + 1 : 0;
    before = now;
    const enough = isOwed(world, figures) ? quietRounds * PATIENCE_FACTOR : quietRounds;
    if (quiet >= enough) return;
    await systemClock.sleep(ROUND_MS);
  }
  throw new Error(`${world.broker.name} does not come to rest`);
}
