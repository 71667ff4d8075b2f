import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.pulsar.client.admin.LongRunningProcessStatus;
import org.apache.pulsar.client.api.*;
import org.apache.pulsar.common.policies.data.BacklogQuota;
import org.apache.pulsar.common.policies.data.RetentionPolicies;
import org.apache.pulsar.common.policies.data.SchemaCompatibilityStrategy;
import org.apache.pulsar.common.policies.data.TenantInfo;
import org.apache.pulsar.common.protocol.schema.PostSchemaPayload;

/** The admin interface, by the official admin client. */
class Administration extends Context {
    private Administration() {
        super(null, null);
    }

    static void admin_tenants(Context c) throws Exception {
        var tenants = c.admin().tenants();
        var name = c.name("").replace('_', '-');
        var info = TenantInfo.builder().adminRoles(Set.of("one")).allowedClusters(Set.of("standalone")).build();
        tenants.createTenant(name, info);
        c.note("again", refused(() -> tenants.createTenant(name, info)));
        check(tenants.getTenants().contains(name), "it is not listed");
        equal(tenants.getTenantInfo(name).getAdminRoles(), Set.of("one"));
        tenants.updateTenant(name, TenantInfo.builder().adminRoles(Set.of("one", "two"))
            .allowedClusters(Set.of("standalone")).build());
        equal(tenants.getTenantInfo(name).getAdminRoles().size(), 2);
        tenants.deleteTenant(name);
        c.note("gone", refused(() -> tenants.getTenantInfo(name)));
        var nowhere = TenantInfo.builder().allowedClusters(Set.of("nowhere")).build();
        c.note("unknown cluster", refused(() -> tenants.createTenant(name, nowhere)));
    }

    static void admin_namespaces(Context c) throws Exception {
        var namespaces = c.admin().namespaces();
        var name = "public/" + c.name("-ns");
        namespaces.createNamespace(name);
        c.note("again", refused(() -> namespaces.createNamespace(name)));
        check(namespaces.getNamespaces("public").contains(name), "it is not listed");
        var topic = "persistent://" + name + "/topic";
        var producer = c.producer().topic(topic).create();
        equal(namespaces.getTopics(name), List.of(topic));
        c.note("in use", refused(() -> namespaces.deleteNamespace(name)));
        producer.close();
        c.admin().topics().delete(topic);
        namespaces.deleteNamespace(name);
        check(!namespaces.getNamespaces("public").contains(name), "it is still listed");
        c.note("gone", refused(() -> namespaces.getPolicies(name)));
    }

    static void admin_policies(Context c) throws Exception {
        var namespaces = c.admin().namespaces();
        var name = c.namespace();
        var none = namespaces.getRetention(name);
        c.note("retention by default", none == null ? "none" : none.toString());
        namespaces.setRetention(name, new RetentionPolicies(10, 20));
        equal(namespaces.getRetention(name), new RetentionPolicies(10, 20));
        namespaces.setNamespaceMessageTTL(name, 300);
        equal(namespaces.getNamespaceMessageTTL(name), 300);
        namespaces.removeNamespaceMessageTTL(name);
        var quota = BacklogQuota.builder().limitSize(1_000_000).limitTime(60)
            .retentionPolicy(BacklogQuota.RetentionPolicy.consumer_backlog_eviction).build();
        namespaces.setBacklogQuota(name, quota);
        equal(namespaces.getBacklogQuotaMap(name).get(BacklogQuota.BacklogQuotaType.destination_storage), quota);
        namespaces.removeBacklogQuota(name);
        namespaces.setSchemaCompatibilityStrategy(name, SchemaCompatibilityStrategy.BACKWARD);
        equal(namespaces.getSchemaCompatibilityStrategy(name), SchemaCompatibilityStrategy.BACKWARD);
        namespaces.setDeduplicationStatus(name, true);
        equal(namespaces.getDeduplicationStatus(name), true);
        equal(namespaces.getPolicies(name).replication_clusters, Set.of("standalone"));
        namespaces.removeRetention(name);
        c.note("no such namespace", refused(() -> namespaces.getRetention("public/" + c.name("-nowhere"))));
    }

    static void admin_topics(Context c) throws Exception {
        var topics = c.admin().topics();
        topics.createNonPartitionedTopic(c.topic());
        c.note("again", refused(() -> topics.createNonPartitionedTopic(c.topic())));
        check(topics.getList("public/default").contains(c.topic()), "it is not listed");
        equal(c.admin().lookups().lookupTopic(c.topic()), c.text("serviceUrl"));
        topics.delete(c.topic());
        c.note("gone", refused(() -> topics.getStats(c.topic())));
        c.note("deleted again", refused(() -> topics.delete(c.topic())));
    }

    static void admin_partitioned(Context c) throws Exception {
        var topics = c.admin().topics();
        topics.createPartitionedTopic(c.topic(), 3);
        c.note("again", refused(() -> topics.createPartitionedTopic(c.topic(), 3)));
        equal(topics.getPartitionedTopicMetadata(c.topic()).partitions, 3);
        topics.updatePartitionedTopic(c.topic(), 5);
        equal(topics.getPartitionedTopicMetadata(c.topic()).partitions, 5);
        c.note("fewer", refused(() -> topics.updatePartitionedTopic(c.topic(), 2)));
        check(topics.getPartitionedTopicList("public/default").contains(c.topic()), "it is not listed");
        topics.deletePartitionedTopic(c.topic());
        c.note("gone", refused(() -> topics.getPartitionedTopicMetadata(c.topic())));
        c.note("deleted again", refused(() -> topics.deletePartitionedTopic(c.topic())));
    }

    static void admin_stats(Context c) throws Exception {
        var producer = c.producer().producerName("the producer").create();
        var consumer = c.consumer().consumerName("the consumer").subscribe();
        send(producer, numbered(5));
        for (var message : take(consumer, 3)) consumer.acknowledge(message);
        var topics = c.admin().topics();
        eventually("the backlog is two",
            () -> topics.getStats(c.topic()).getSubscriptions().get("sub").getMsgBacklog() == 2);
        var stats = topics.getStats(c.topic());
        equal(stats.getMsgInCounter(), 5L);
        equal(stats.getPublishers().size(), 1);
        equal(stats.getPublishers().get(0).getProducerName(), "the producer");
        equal(stats.getPublishers().get(0).getAccessMode(), ProducerAccessMode.Shared);
        check(stats.getStorageSize() > 0, "no storage size");
        var sub = stats.getSubscriptions().get("sub");
        equal(sub.getType(), "Exclusive");
        equal(sub.getMsgOutCounter(), 5L);
        equal(sub.getConsumers().size(), 1);
        equal(sub.getConsumers().get(0).getConsumerName(), "the consumer");
        check(sub.getConsumers().get(0).getClientVersion().startsWith("Pulsar-Java"), "no client version");
        c.note("owner", stats.getOwnerBroker() != null);
    }

    static void admin_partitioned_stats(Context c) throws Exception {
        c.partitioned(3);
        var consumer = c.consumer().subscribe();
        send(c.producer().create(), numbered(9));
        take(consumer, 9);
        var stats = c.admin().topics().getPartitionedStats(c.topic(), true);
        equal(stats.getMetadata().partitions, 3);
        equal(stats.getPartitions().size(), 3);
        equal(stats.getPartitions().values().stream().mapToLong(one -> one.getMsgInCounter()).sum(), 9L);
        equal(stats.getSubscriptions().get("sub").getMsgBacklog(), 9L);
    }

    static void admin_internal_stats(Context c) throws Exception {
        var consumer = c.consumer().acknowledgmentGroupTime(0, java.util.concurrent.TimeUnit.MILLISECONDS).subscribe();
        send(c.producer().create(), numbered(5));
        consumer.acknowledgeCumulative(take(consumer, 5).get(2));
        Thread.sleep(300);
        var stats = c.admin().topics().getInternalStats(c.topic());
        equal(stats.numberOfEntries, 5L);
        equal(stats.entriesAddedCounter, 5L);
        check(!stats.ledgers.isEmpty(), "no ledgers");
        check(stats.lastConfirmedEntry.endsWith(":4"), stats.lastConfirmedEntry);
        check(stats.cursors.get("sub").markDeletePosition.endsWith(":2"), stats.cursors.get("sub").markDeletePosition);
        c.note("state", stats.state);
        c.note("cursor state", stats.cursors.get("sub").state);
    }

    static void admin_subscriptions(Context c) throws Exception {
        var topics = c.admin().topics();
        send(c.producer().create(), numbered(3));
        topics.createSubscription(c.topic(), "early", MessageId.earliest);
        topics.createSubscription(c.topic(), "late", MessageId.latest);
        c.note("again", refused(() -> topics.createSubscription(c.topic(), "early", MessageId.earliest)));
        equal(topics.getSubscriptions(c.topic()).stream().sorted().toList(), List.of("early", "late"));
        var consumer = c.consumer().subscriptionName("early").subscribe();
        equal(texts(take(consumer, 3)), numbered(3));
        c.note("in use", refused(() -> topics.deleteSubscription(c.topic(), "early")));
        consumer.close();
        topics.deleteSubscription(c.topic(), "early");
        c.note("gone", refused(() -> topics.deleteSubscription(c.topic(), "early")));
        equal(topics.getSubscriptions(c.topic()), List.of("late"));
        silent(c.consumer().subscriptionName("late").subscribe());
    }

    static void admin_skip(Context c) throws Exception {
        var topics = c.admin().topics();
        send(c.producer().create(), numbered(8));
        for (var one : List.of("some", "all", "old")) topics.createSubscription(c.topic(), one, MessageId.earliest);
        topics.skipMessages(c.topic(), "some", 5);
        equal(texts(take(c.consumer().subscriptionName("some").subscribe(), 3)), numbered(8).subList(5, 8));
        topics.skipAllMessages(c.topic(), "all");
        silent(c.consumer().subscriptionName("all").subscribe());
        Thread.sleep(2_100);
        topics.expireMessages(c.topic(), "old", 1);
        eventually("they expire", () -> topics.getStats(c.topic()).getSubscriptions().get("old").getMsgBacklog() == 0);
    }

    static void admin_reset_cursor(Context c) throws Exception {
        var topics = c.admin().topics();
        var producer = c.producer().create();
        var ids = send(producer, numbered(3));
        Thread.sleep(200);
        var middleMs = System.currentTimeMillis();
        Thread.sleep(200);
        send(producer, numbered(2, "later"));
        var consumer = c.consumer().subscribe();
        for (var message : take(consumer, 5)) consumer.acknowledge(message);
        consumer.close();
        topics.resetCursor(c.topic(), "sub", middleMs);
        var again = c.consumer().subscribe();
        equal(texts(take(again, 2)), numbered(2, "later"));
        again.close();
        topics.resetCursor(c.topic(), "sub", ids.get(1));
        var inclusive = c.consumer().subscribe();
        c.note("first after the id", text(receive(inclusive)));
        inclusive.close();
        topics.resetCursor(c.topic(), "sub", ids.get(1), true);
        c.note("first behind the id", text(receive(c.consumer().subscribe())));
    }

    static void admin_peek(Context c) throws Exception {
        var topics = c.admin().topics();
        var producer = c.producer().create();
        producer.newMessage().key("key").property("a", "1").value(bytes("message 0")).send();
        producer.send(bytes("message 1"));
        topics.createSubscription(c.topic(), "sub", MessageId.earliest);
        var peeked = topics.peekMessages(c.topic(), "sub", 2);
        equal(texts(peeked), numbered(2));
        c.note("property", String.valueOf(peeked.get(0).getProperty("a")));
        var id = (MessageIdAdv) peeked.get(1).getMessageId();
        equal(text(topics.getMessageById(c.topic(), id.getLedgerId(), id.getEntryId())), "message 1");
        equal(texts(take(c.consumer().subscribe(), 2)), numbered(2));
    }

    static void admin_last_message_id(Context c) throws Exception {
        var topics = c.admin().topics();
        var ids = send(c.producer().create(), numbered(3));
        equal(topics.getLastMessageId(c.topic()).compareTo(ids.get(2)), 0);
        equal(topics.terminateTopic(c.topic()).compareTo(ids.get(2)), 0);
    }

    static void admin_compaction(Context c) throws Exception {
        var topics = c.admin().topics();
        var producer = c.producer().create();
        for (int i = 0; i < 4; i++) producer.newMessage().key("key").value(bytes("" + i)).send();
        c.note("before", topics.compactionStatus(c.topic()).status.name());
        topics.triggerCompaction(c.topic());
        eventually("it is done",
            () -> topics.compactionStatus(c.topic()).status == LongRunningProcessStatus.Status.SUCCESS);
    }

    static void admin_schemas(Context c) throws Exception {
        var schemas = c.admin().schemas();
        schemas.createSchema(c.topic(), new PostSchemaPayload("AVRO", Schemas.READING, Map.of()));
        equal(schemas.getSchemaInfo(c.topic()).getType().name(), "AVRO");
        var wider = new PostSchemaPayload("AVRO", Schemas.WIDER, Map.of());
        check(schemas.testCompatibility(c.topic(), wider).isCompatibility(), "it is compatible");
        schemas.createSchema(c.topic(), wider);
        var other = new PostSchemaPayload("AVRO", Schemas.OTHER, Map.of());
        c.note("incompatible", refused(() -> schemas.createSchema(c.topic(), other)));
        var reading = new PostSchemaPayload("AVRO", Schemas.READING, Map.of());
        equal(schemas.getVersionBySchema(c.topic(), reading), 0L);
        equal(schemas.getSchemaInfoWithVersion(c.topic()).getVersion(), 1L);
        var newest = new String(schemas.getSchemaInfo(c.topic(), 1).getSchema(), StandardCharsets.UTF_8);
        check(newest.contains("unit"), newest);
        equal(schemas.getAllSchemas(c.topic()).size(), 2);
        schemas.deleteSchema(c.topic());
        c.note("gone", refused(() -> schemas.getSchemaInfo(c.topic())));
    }

    static void admin_brokers(Context c) throws Exception {
        equal(c.admin().clusters().getClusters(), List.of("standalone"));
        equal(c.admin().clusters().getCluster("standalone").getBrokerServiceUrl(), c.text("serviceUrl"));
        c.admin().brokers().healthcheck();
        var address = c.text("adminUrl").substring("http://".length());
        equal(c.admin().brokers().getActiveBrokers("standalone"), List.of(address));
        equal(c.admin().brokers().getLeaderBroker().getServiceUrl(), c.text("adminUrl"));
        equal(c.http("GET", "/admin/v2/brokers/ready", null).body(), "ok");
        check(!c.admin().brokers().getVersion().isEmpty(), "no version");
    }

    static void metrics(Context c) throws Exception {
        c.consumer().subscribe();
        send(c.producer().create(), numbered(3));
        for (var name : List.of("pulsar_in_messages_total", "pulsar_out_messages_total", "pulsar_subscription_back_log",
            "pulsar_storage_size", "pulsar_producers_count", "pulsar_consumers_count", "pulsar_msg_backlog")) {
            eventually(name + " is there", () -> c.http("GET", "/metrics/", null).body().lines()
                .anyMatch(line -> line.startsWith(name + "{") && line.contains("topic=\"" + c.topic() + "\"")));
        }
    }
}
