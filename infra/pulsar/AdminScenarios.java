import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.pulsar.client.admin.LongRunningProcessStatus;
import org.apache.pulsar.client.admin.PulsarAdmin;
import org.apache.pulsar.client.admin.PulsarAdminException;
import org.apache.pulsar.client.api.Consumer;
import org.apache.pulsar.client.api.Message;
import org.apache.pulsar.client.api.MessageId;
import org.apache.pulsar.client.api.Producer;
import org.apache.pulsar.client.api.PulsarClient;
import org.apache.pulsar.client.api.Schema;
import org.apache.pulsar.client.api.SubscriptionInitialPosition;
import org.apache.pulsar.common.policies.data.AuthAction;
import org.apache.pulsar.common.policies.data.AutoTopicCreationOverride;
import org.apache.pulsar.common.policies.data.BacklogQuota;
import org.apache.pulsar.common.policies.data.RetentionPolicies;
import org.apache.pulsar.common.policies.data.SchemaCompatibilityStrategy;
import org.apache.pulsar.common.policies.data.TenantInfo;
import org.apache.pulsar.common.policies.data.TopicStats;

/**
 * Calls the official admin client on a broker, one command after the other, and says of each whether it did what it should:
 *
 *     java -cp "LIB/*" AdminScenarios.java SERVICE_URL ADMIN_URL
 *
 * Ends with 1 when any did not.
 */
public class AdminScenarios {
    interface Step {
        void run() throws Exception;
    }

    static int failed = 0;

    static void step(String name, Step step) {
        try {
            step.run();
            System.out.println("ok " + name);
        } catch (Throwable error) {
            failed++;
            System.out.println("FAILED " + name + ": " + error);
        }
    }

    static void same(Object actual, Object expected) {
        if (Objects.equals(actual, expected)) return;
        throw new AssertionError("expected " + expected + ", got " + actual);
    }

    static void isTrue(boolean condition, String what) {
        if (!condition) throw new AssertionError(what);
    }

    static void refused(Class<? extends PulsarAdminException> expected, Step step) throws Exception {
        try {
            step.run();
        } catch (PulsarAdminException error) {
            if (expected.isInstance(error)) return;
            throw new AssertionError("expected " + expected.getSimpleName() + ", got " + error, error);
        }
        throw new AssertionError("expected " + expected.getSimpleName() + ", got nothing");
    }

    public static void main(String[] args) throws Exception {
        String tenant = "java-" + Long.toHexString(System.nanoTime());
        String space = tenant + "/n";
        try (PulsarAdmin admin = PulsarAdmin.builder().serviceHttpUrl(args[1]).build();
            PulsarClient client = PulsarClient.builder().serviceUrl(args[0]).build()) {
            tenants(admin, tenant);
            namespaces(admin, space);
            policies(admin, space);
            partitioned(admin, space);
            topics(admin, client, space);
            subscriptions(admin, client, space);
            schemas(admin, space);
            brokers(admin);
            ends(admin, tenant, space);
        }
        System.exit(failed == 0 ? 0 : 1);
    }

    static void tenants(PulsarAdmin admin, String tenant) {
        TenantInfo info = TenantInfo.builder().adminRoles(Set.of("boss"))
            .allowedClusters(Set.of("standalone")).build();
        step("clusters getClusters", () -> same(admin.clusters().getClusters(), List.of("standalone")));
        step("clusters getCluster", () -> isTrue(
            admin.clusters().getCluster("standalone").getServiceUrl().startsWith("http"), "no URL"));
        step("tenants createTenant", () -> admin.tenants().createTenant(tenant, info));
        step("tenants createTenant again", () -> refused(
            PulsarAdminException.ConflictException.class, () -> admin.tenants().createTenant(tenant, info)));
        step("tenants getTenantInfo", () -> same(
            admin.tenants().getTenantInfo(tenant).getAdminRoles(), Set.of("boss")));
        step("tenants updateTenant", () -> admin.tenants().updateTenant(tenant, info));
        step("tenants getTenants", () -> isTrue(admin.tenants().getTenants().contains(tenant), "absent"));
        step("tenants getTenantInfo of none", () -> refused(
            PulsarAdminException.NotFoundException.class, () -> admin.tenants().getTenantInfo("no-such")));
    }

    static void namespaces(PulsarAdmin admin, String space) {
        String tenant = space.split("/")[0];
        step("namespaces createNamespace", () -> admin.namespaces().createNamespace(space));
        step("namespaces getNamespaces", () -> same(admin.namespaces().getNamespaces(tenant), List.of(space)));
        step("namespaces getPolicies", () -> isTrue(
            admin.namespaces().getPolicies(space).replication_clusters.contains("standalone"), "no cluster"));
        step("namespaces getBundles", () -> same(admin.namespaces().getBundles(space).getNumBundles(), 4));
        step("namespaces grantPermissionOnNamespace", () -> admin.namespaces()
            .grantPermissionOnNamespace(space, "me", EnumSet.of(AuthAction.produce, AuthAction.consume)));
        step("namespaces getPermissions", () -> same(
            admin.namespaces().getPermissions(space).get("me"), EnumSet.of(AuthAction.produce, AuthAction.consume)));
        step("namespaces revokePermissionsOnNamespace", () -> {
            admin.namespaces().revokePermissionsOnNamespace(space, "me");
            same(admin.namespaces().getPermissions(space), Map.of());
        });
        step("namespaces setProperties", () -> {
            admin.namespaces().setProperty(space, "colour", "red");
            same(admin.namespaces().getProperty(space, "colour"), "red");
            admin.namespaces().setProperties(space, Map.of("a", "b"));
            same(admin.namespaces().getProperties(space), Map.of("a", "b", "colour", "red"));
            admin.namespaces().clearProperties(space);
            same(admin.namespaces().getProperties(space), Map.of());
        });
    }

    static void policies(PulsarAdmin admin, String space) {
        step("namespaces retention", () -> {
            same(admin.namespaces().getRetention(space), null);
            RetentionPolicies retention = new RetentionPolicies(10, 100);
            admin.namespaces().setRetention(space, retention);
            same(admin.namespaces().getRetention(space), retention);
            admin.namespaces().removeRetention(space);
            same(admin.namespaces().getRetention(space), null);
        });
        step("namespaces retention that makes no sense", () -> refused(PulsarAdminException.class,
            () -> admin.namespaces().setRetention(space, new RetentionPolicies(10, 0))));
        step("namespaces messageTTL", () -> {
            admin.namespaces().setNamespaceMessageTTL(space, 60);
            same(admin.namespaces().getNamespaceMessageTTL(space), 60);
            admin.namespaces().removeNamespaceMessageTTL(space);
            same(admin.namespaces().getNamespaceMessageTTL(space), null);
        });
        step("namespaces backlogQuota", () -> {
            BacklogQuota quota = BacklogQuota.builder().limitSize(1_000_000)
                .retentionPolicy(BacklogQuota.RetentionPolicy.producer_exception).build();
            admin.namespaces().setBacklogQuota(space, quota);
            BacklogQuota own = admin.namespaces().getBacklogQuotaMap(space)
                .get(BacklogQuota.BacklogQuotaType.destination_storage);
            same(own.getLimitSize(), 1_000_000L);
            admin.namespaces().removeBacklogQuota(space);
            same(admin.namespaces().getBacklogQuotaMap(space), Map.of());
        });
        step("namespaces deduplication", () -> {
            admin.namespaces().setDeduplicationStatus(space, true);
            same(admin.namespaces().getDeduplicationStatus(space), true);
            admin.namespaces().removeDeduplicationStatus(space);
            same(admin.namespaces().getDeduplicationStatus(space), null);
        });
        step("namespaces schemaCompatibilityStrategy", () -> {
            admin.namespaces().setSchemaCompatibilityStrategy(space, SchemaCompatibilityStrategy.BACKWARD);
            same(admin.namespaces().getSchemaCompatibilityStrategy(space), SchemaCompatibilityStrategy.BACKWARD);
        });
        step("namespaces autoTopicCreation", () -> {
            admin.namespaces().setAutoTopicCreation(space, AutoTopicCreationOverride.builder()
                .allowAutoTopicCreation(true).topicType("partitioned").defaultNumPartitions(3).build());
            same(admin.namespaces().getAutoTopicCreation(space).getDefaultNumPartitions(), 3);
            admin.namespaces().removeAutoTopicCreation(space);
            same(admin.namespaces().getAutoTopicCreation(space), null);
        });
        step("namespaces maxConsumers, maxProducers, maxSubscriptions, maxUnacked", () -> {
            admin.namespaces().setMaxConsumersPerTopic(space, 9);
            same(admin.namespaces().getMaxConsumersPerTopic(space), 9);
            admin.namespaces().removeMaxConsumersPerTopic(space);
            admin.namespaces().setMaxProducersPerTopic(space, 9);
            same(admin.namespaces().getMaxProducersPerTopic(space), 9);
            admin.namespaces().removeMaxProducersPerTopic(space);
            admin.namespaces().setMaxSubscriptionsPerTopic(space, 9);
            same(admin.namespaces().getMaxSubscriptionsPerTopic(space), 9);
            admin.namespaces().removeMaxSubscriptionsPerTopic(space);
            admin.namespaces().setMaxUnackedMessagesPerConsumer(space, 9);
            same(admin.namespaces().getMaxUnackedMessagesPerConsumer(space), 9);
            admin.namespaces().removeMaxUnackedMessagesPerConsumer(space);
            same(admin.namespaces().getMaxUnackedMessagesPerConsumer(space), null);
        });
    }

    static void partitioned(PulsarAdmin admin, String space) {
        String topic = "persistent://" + space + "/partitioned";
        step("topics createPartitionedTopic", () -> admin.topics().createPartitionedTopic(topic, 2));
        step("topics getPartitionedTopicMetadata", () -> same(
            admin.topics().getPartitionedTopicMetadata(topic).partitions, 2));
        step("topics updatePartitionedTopic", () -> {
            admin.topics().createSubscription(topic, "early", MessageId.earliest);
            admin.topics().updatePartitionedTopic(topic, 3);
            same(admin.topics().getPartitionedTopicMetadata(topic).partitions, 3);
            same(admin.topics().getSubscriptions(topic + "-partition-2"), List.of("early"));
        });
        step("topics getPartitionedTopicList", () -> same(
            admin.topics().getPartitionedTopicList(space), List.of(topic)));
        step("topics getPartitionedStats", () -> same(
            admin.topics().getPartitionedStats(topic, true).getPartitions().size(), 3));
        step("topics getPartitionedInternalStats", () -> same(
            admin.topics().getPartitionedInternalStats(topic).partitions.size(), 3));
        step("topics deletePartitionedTopic", () -> {
            admin.topics().deletePartitionedTopic(topic);
            same(admin.topics().getPartitionedTopicList(space), List.of());
        });
        step("topics getPartitionedTopicMetadata of none", () -> refused(PulsarAdminException.NotFoundException.class,
            () -> admin.topics().getPartitionedTopicMetadata(topic)));
    }

    static void topics(PulsarAdmin admin, PulsarClient client, String space) {
        String topic = "persistent://" + space + "/topic";
        step("topics createNonPartitionedTopic", () -> admin.topics()
            .createNonPartitionedTopic(topic, Map.of("owner", "me")));
        step("topics getProperties", () -> same(admin.topics().getProperties(topic), Map.of("owner", "me")));
        step("topics updateProperties, removeProperties", () -> {
            admin.topics().updateProperties(topic, Map.of("x", "y"));
            same(admin.topics().getProperties(topic), Map.of("owner", "me", "x", "y"));
            admin.topics().removeProperties(topic, "x");
            same(admin.topics().getProperties(topic), Map.of("owner", "me"));
        });
        step("topics getList", () -> same(admin.topics().getList(space), List.of(topic)));
        step("topics createSubscription", () -> admin.topics().createSubscription(topic, "s", MessageId.earliest));
        step("client produces", () -> {
            try (Producer<byte[]> producer = client.newProducer().topic(topic).enableBatching(false).create()) {
                for (int i = 0; i < 10; i++) {
                    producer.newMessage().key("key-" + i).property("i", "" + i).eventTime(1_700_000_000_000L + i)
                        .value(("message " + i).getBytes(StandardCharsets.UTF_8)).send();
                }
            }
            try (Producer<byte[]> producer = client.newProducer().topic(topic)
                .batchingMaxPublishDelay(1, TimeUnit.SECONDS).create()) {
                for (int i = 10; i < 13; i++) producer.sendAsync(("message " + i).getBytes(StandardCharsets.UTF_8));
                producer.flush();
            }
        });
        step("topics getStats", () -> {
            TopicStats stats = admin.topics().getStats(topic);
            same(stats.getMsgInCounter(), 13L);
            same(stats.getSubscriptions().get("s").getMsgBacklog(), 11L);
            isTrue(stats.getStorageSize() > 0, "no size");
        });
        step("topics getInternalStats", () -> {
            same(admin.topics().getInternalStats(topic).numberOfEntries, 11L);
            isTrue(admin.topics().getInternalStats(topic).cursors.containsKey("s"), "no cursor");
        });
        step("topics getLastMessageId", () -> isTrue(
            admin.topics().getLastMessageId(topic) instanceof MessageId, "no id"));
        step("topics peekMessages", () -> {
            List<Message<byte[]>> messages = admin.topics().peekMessages(topic, "s", 3);
            same(messages.size(), 3);
            same(new String(messages.get(1).getData(), StandardCharsets.UTF_8), "message 1");
            // Not its properties: this client looks for them under a header with capitals, which not every server writes.
        });
        step("topics examineMessage", () -> {
            Message<byte[]> first = admin.topics().examineMessage(topic, "earliest", 1);
            same(new String(first.getData(), StandardCharsets.UTF_8), "message 0");
        });
        step("topics getMessageById", () -> {
            String[] parts = admin.topics().getLastMessageId(topic).toString().split(":");
            List<Message<byte[]>> messages = admin.topics()
                .getMessagesById(topic, Long.parseLong(parts[0]), 0);
            same(new String(messages.get(0).getData(), StandardCharsets.UTF_8), "message 0");
            same(messages.get(0).getKey(), "key-0");
        });
        step("topics skipMessages", () -> {
            admin.topics().skipMessages(topic, "s", 4);
            same(admin.topics().getStats(topic).getSubscriptions().get("s").getMsgBacklog(), 7L);
        });
        step("topics unload", () -> admin.topics().unload(topic));
        step("topics getStats after unload", () -> same(
            admin.topics().getStats(topic).getSubscriptions().get("s").getMsgBacklog(), 7L));
        step("lookups lookupTopic", () -> isTrue(
            admin.lookups().lookupTopic(topic).startsWith("pulsar://"), "no URL"));
        step("lookups getBundleRange", () -> isTrue(
            admin.lookups().getBundleRange(topic).startsWith("0x"), "no range"));
        step("topics triggerCompaction, compactionStatus", () -> {
            admin.topics().triggerCompaction(topic);
            LongRunningProcessStatus status = admin.topics().compactionStatus(topic);
            for (int i = 0; i < 100 && status.status == LongRunningProcessStatus.Status.RUNNING; i++) {
                Thread.sleep(100);
                status = admin.topics().compactionStatus(topic);
            }
            same(status.status, LongRunningProcessStatus.Status.SUCCESS);
        });
        step("topics terminateTopic", () -> {
            admin.topics().terminateTopic(topic);
            try {
                client.newProducer().topic(topic).create().close();
            } catch (Exception expected) {
                return;
            }
            throw new AssertionError("a producer came in");
        });
        step("topics delete", () -> {
            admin.topics().delete(topic);
            refused(PulsarAdminException.NotFoundException.class, () -> admin.topics().getStats(topic));
        });
    }

    static void subscriptions(PulsarAdmin admin, PulsarClient client, String space) {
        String topic = "persistent://" + space + "/subscriptions";
        List<MessageId> ids = new ArrayList<>();
        step("client produces and consumes", () -> {
            admin.topics().createNonPartitionedTopic(topic);
            try (Producer<String> producer = client.newProducer(Schema.STRING).topic(topic)
                .enableBatching(false).create();
                Consumer<String> consumer = client.newConsumer(Schema.STRING).topic(topic).subscriptionName("s")
                    .subscriptionInitialPosition(SubscriptionInitialPosition.Earliest).subscribe()) {
                for (int i = 0; i < 5; i++) ids.add(producer.send("message " + i));
                for (int i = 0; i < 5; i++) consumer.acknowledge(consumer.receive(10, TimeUnit.SECONDS));
            }
        });
        step("topics getSubscriptions", () -> same(admin.topics().getSubscriptions(topic), List.of("s")));
        step("topics resetCursor by time", () -> {
            admin.topics().resetCursor(topic, "s", 0);
            same(admin.topics().getStats(topic).getSubscriptions().get("s").getMsgBacklog(), 5L);
        });
        step("topics resetCursor by message", () -> {
            admin.topics().resetCursor(topic, "s", ids.get(3));
            same(admin.topics().getStats(topic).getSubscriptions().get("s").getMsgBacklog(), 2L);
        });
        step("topics skipAllMessages", () -> {
            admin.topics().skipAllMessages(topic, "s");
            same(admin.topics().getStats(topic).getSubscriptions().get("s").getMsgBacklog(), 0L);
        });
        step("topics expireMessages", () -> {
            admin.topics().resetCursor(topic, "s", 0);
            Thread.sleep(2100);
            admin.topics().expireMessages(topic, "s", 1);
            for (int i = 0; i < 50; i++) {
                if (admin.topics().getStats(topic).getSubscriptions().get("s").getMsgBacklog() == 0) return;
                Thread.sleep(100);
            }
            throw new AssertionError("nothing expired");
        });
        step("topics subscription properties", () -> {
            admin.topics().updateSubscriptionProperties(topic, "s", Map.of("a", "b"));
            same(admin.topics().getSubscriptionProperties(topic, "s"), Map.of("a", "b"));
        });
        step("topics getMessageIdByTimestamp", () -> isTrue(
            admin.topics().getMessageIdByTimestamp(topic, 1).compareTo(ids.get(0)) <= 0, "too late"));
        step("topics deleteSubscription while connected", () -> {
            try (Consumer<byte[]> consumer = client.newConsumer().topic(topic).subscriptionName("s").subscribe()) {
                refused(PulsarAdminException.PreconditionFailedException.class,
                    () -> admin.topics().deleteSubscription(topic, "s"));
            }
        });
        step("topics deleteSubscription", () -> {
            admin.topics().deleteSubscription(topic, "s");
            same(admin.topics().getSubscriptions(topic), List.of());
        });
        step("topics delete with force while connected", () -> {
            try (Producer<byte[]> producer = client.newProducer().topic(topic).create()) {
                refused(PulsarAdminException.PreconditionFailedException.class, () -> admin.topics().delete(topic));
            }
            admin.topics().delete(topic, true);
        });
    }

    static void schemas(PulsarAdmin admin, String space) {
        String topic = "persistent://" + space + "/schema";
        var schema = org.apache.pulsar.client.api.Schema.AVRO(Reading.class).getSchemaInfo();
        step("schemas createSchema", () -> admin.schemas().createSchema(topic, schema));
        step("schemas getSchemaInfo", () -> same(admin.schemas().getSchemaInfo(topic).getType(), schema.getType()));
        step("schemas getSchemaInfoWithVersion", () -> same(
            admin.schemas().getSchemaInfoWithVersion(topic).getVersion(), 0L));
        step("schemas getAllSchemas", () -> same(admin.schemas().getAllSchemas(topic).size(), 1));
        step("schemas testCompatibility", () -> isTrue(
            admin.schemas().testCompatibility(topic, schema).isCompatibility(), "incompatible"));
        step("schemas deleteSchema", () -> {
            admin.schemas().deleteSchema(topic);
            refused(PulsarAdminException.NotFoundException.class, () -> admin.schemas().getSchemaInfo(topic));
        });
    }

    /** A record for a schema. */
    public static class Reading {
        public int value;
    }

    static void brokers(PulsarAdmin admin) {
        step("brokers healthcheck", () -> admin.brokers().healthcheck());
        step("brokers getActiveBrokers", () -> same(admin.brokers().getActiveBrokers("standalone").size(), 1));
        step("brokers getLeaderBroker", () -> isTrue(
            admin.brokers().getLeaderBroker().getServiceUrl().startsWith("http"), "no URL"));
        step("brokers getVersion", () -> isTrue(!admin.brokers().getVersion().isEmpty(), "no version"));
        step("brokers getRuntimeConfigurations", () -> same(
            admin.brokers().getRuntimeConfigurations().get("clusterName"), "standalone"));
    }

    static void ends(PulsarAdmin admin, String tenant, String space) {
        step("namespaces unload", () -> admin.namespaces().unload(space));
        step("namespaces deleteNamespace", () -> {
            for (String topic : admin.topics().getList(space)) admin.topics().delete(topic, true);
            admin.namespaces().deleteNamespace(space);
        });
        step("tenants deleteTenant", () -> {
            admin.tenants().deleteTenant(tenant);
            isTrue(!admin.tenants().getTenants().contains(tenant), "still there");
        });
    }
}
