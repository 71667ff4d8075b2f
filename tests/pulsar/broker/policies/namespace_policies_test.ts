import assert from "node:assert/strict";
import {
  assertQuotaFits,
  effectivePolicies,
  POLICIES,
} from "../../../../lib/pulsar/broker/policies/namespace_policies.ts";
import { DEFAULT_POLICIES } from "../../../../lib/pulsar/broker/policies/topic_policies.ts";

const quota = (type: string, limits: Readonly<Record<string, unknown>>) => ({
  backlog_quota_map: { [type]: { policy: "consumer_backlog_eviction", ...limits } },
});

/** What is stored, in Pulsar's units, and what it means, in ours. No two values are alike, so that none can stand in another's place. */
const MEANINGS: readonly (readonly [Record<string, unknown>, Record<string, unknown>])[] = [
  [
    { retention_policies: { retentionTimeInMinutes: 7, retentionSizeInMB: 11 } },
    { retentionMs: 420_000, retentionBytes: 11_534_336 },
  ],
  [
    { retention_policies: { retentionTimeInMinutes: -1, retentionSizeInMB: 11 } },
    { retentionMs: -1, retentionBytes: 11_534_336 },
  ],
  [
    { retention_policies: { retentionTimeInMinutes: 7, retentionSizeInMB: -1 } },
    { retentionMs: 420_000, retentionBytes: -1 },
  ],
  [quota("destination_storage", { limitSize: 13, limitTime: 0 }), {
    backlogBytesMax: 13,
    backlogPolicy: "consumer_backlog_eviction",
  }],
  [quota("message_age", { limitSize: 0, limitTime: 17 }), {
    backlogAgeMsMax: 17_000,
    backlogAgePolicy: "consumer_backlog_eviction",
  }],
  [quota("message_age", { limitSize: 0, limitTime: 0 }), {
    backlogAgeMsMax: -1,
    backlogAgePolicy: "consumer_backlog_eviction",
  }],
  [{ message_ttl_in_seconds: 19 }, { messageTtlMs: 19_000 }],
  [{ subscription_expiration_time_minutes: 23 }, { subscriptionExpirationMs: 1_380_000 }],
  [{ deduplicationEnabled: false }, { isDeduplicating: false }],
  [{ autoTopicCreationOverride: { allowAutoTopicCreation: true, defaultNumPartitions: 29 } }, {
    isAutoCreating: true,
    autoPartitions: 29,
  }],
  [{ autoTopicCreationOverride: { allowAutoTopicCreation: false } }, {
    isAutoCreating: false,
    autoPartitions: 0,
  }],
  [{ autoSubscriptionCreationOverride: { allowAutoSubscriptionCreation: false } }, {
    isAutoSubscribing: false,
  }],
  [{ max_producers_per_topic: 31 }, { producersMax: 31 }],
  [{ max_consumers_per_topic: 37 }, { consumersMax: 37 }],
  [{ max_consumers_per_subscription: 41 }, { subscriptionConsumersMax: 41 }],
  [{ max_subscriptions_per_topic: 43 }, { subscriptionsMax: 43 }],
  [{ max_topics_per_namespace: 47 }, { topicsMax: 47 }],
  [{ max_unacked_messages_per_consumer: 53 }, { consumerUnackedMax: 53 }],
  [{ max_unacked_messages_per_subscription: 59 }, { subscriptionUnackedMax: 59 }],
  [
    {
      inactive_topic_policies: {
        inactiveTopicDeleteMode: "delete_when_no_subscriptions",
        maxInactiveDurationSeconds: 61,
        deleteWhileInactive: true,
      },
    },
    {
      isDeletingInactive: true,
      inactiveMode: "delete_when_no_subscriptions",
      inactiveMs: 61_000,
    },
  ],
  [{ compaction_threshold: 67 }, { compactionBytes: 67 }],
  [{ is_allow_auto_update_schema: false }, { isSchemaAutoUpdating: false }],
  [{ schema_validation_enforced: true }, { isSchemaRequired: true }],
  [{ subscription_types_enabled: ["Failover"] }, { subscriptionKinds: ["Failover"] }],
  [{ persistence: { ackQuorum: 1 }, nobody_knows_it: 3 }, {}],
];

for (const [stored, meaning] of MEANINGS) {
  Deno.test(`effectivePolicies() takes ${JSON.stringify(stored)} for what it says`, () => {
    assert.deepEqual(effectivePolicies(stored), meaning);
  });
}

Deno.test("effectivePolicies() has a meaning for every policy of topics, and this test a case for each", () => {
  const known = new Set(MEANINGS.flatMap(([, meaning]) => Object.keys(meaning)));
  const missing = Object.keys(DEFAULT_POLICIES).filter((name) => !known.has(name));
  assert.deepEqual(missing, []);
});

Deno.test("POLICIES have no path or key twice", () => {
  for (const name of ["path", "key"] as const) {
    const all = POLICIES.map((spec) => spec[name]);
    assert.deepEqual(all.filter((one, i) => all.indexOf(one) !== i), [], name);
  }
});

Deno.test("assertQuotaFits() refuses a backlog quota that is not below what is retained", () => {
  const both = (sizeMb: number, minutes: number, limitSize: number) => ({
    retention_policies: { retentionTimeInMinutes: minutes, retentionSizeInMB: sizeMb },
    ...quota("destination_storage", { limitSize, limitTime: 0 }),
  });
  const MEBIBYTE = 1024 * 1024;
  for (const fitting of [both(2, 5, 2 * MEBIBYTE - 1), both(0, 0, 1e12), both(-1, 5, 1e12)]) {
    assertQuotaFits(fitting);
  }
  for (const refused of [both(2, 5, 2 * MEBIBYTE), both(2, 5, 1e12), both(2, 5, -1)]) {
    assert.throws(() => assertQuotaFits(refused), { status: 412 });
  }
});
