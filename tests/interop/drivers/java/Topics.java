import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.apache.pulsar.client.admin.LongRunningProcessStatus;
import org.apache.pulsar.client.api.*;

/** Topics, their life, and connections to them. */
class Topics extends Context {
    private Topics() {
        super(null, null);
    }

    static int partition(Message<?> message) {
        return ((MessageIdAdv) message.getMessageId()).getPartitionIndex();
    }

    static void partitioned_by_key(Context c) throws Exception {
        c.partitioned(4);
        var consumer = c.consumer().subscribe();
        var producer = c.producer().create();
        for (int i = 0; i < 40; i++) producer.newMessage().key("key " + i % 8).value(bytes("" + i)).send();
        var partitions = new HashMap<String, Integer>();
        var last = new HashMap<String, Integer>();
        for (var message : take(consumer, 40)) {
            var before = partitions.put(message.getKey(), partition(message));
            check(before == null || before == partition(message), message.getKey() + " is in two partitions");
            var number = Integer.parseInt(text(message));
            check(last.getOrDefault(message.getKey(), -1) < number, "out of order: " + number);
            last.put(message.getKey(), number);
        }
        check(new HashSet<>(partitions.values()).size() > 1, "one partition got all");
        silent(consumer);
    }

    static void round_robin(Context c) throws Exception {
        c.partitioned(3);
        var consumer = c.consumer().subscribe();
        send(c.producer().messageRoutingMode(MessageRoutingMode.RoundRobinPartition).create(), numbered(30));
        var used = new HashSet<Integer>();
        for (var message : take(consumer, 30)) used.add(partition(message));
        equal(used.size(), 3);
    }

    static void custom_router(Context c) throws Exception {
        c.partitioned(3);
        var consumer = c.consumer().subscribe();
        var router = new MessageRouter() {
            @Override
            public int choosePartition(Message<?> message, TopicMetadata topic) {
                return topic.numPartitions() - 1;
            }
        };
        send(c.producer().messageRouter(router).create(), numbered(5));
        for (var message : take(consumer, 5)) equal(partition(message), 2);
    }

    static void key_hash_java(Context c) throws Exception {
        keyHash(c, HashingScheme.JavaStringHash);
    }

    static void key_hash_murmur3(Context c) throws Exception {
        keyHash(c, HashingScheme.Murmur3_32Hash);
    }

    /** Compared with the other clients: the same keys must go to the same partitions. */
    static void keyHash(Context c, HashingScheme scheme) throws Exception {
        c.partitioned(7);
        var consumer = c.consumer().subscribe();
        var producer = c.producer().hashingScheme(scheme).create();
        var keys = List.of("a", "key", "zwei ä", "a longer key that is hashed in several steps");
        for (var key : keys) producer.newMessage().key(key).value(bytes(key)).send();
        var seen = new HashMap<String, Integer>();
        for (var message : take(consumer, 4)) seen.put(message.getKey(), partition(message));
        c.note("partitions", keys.stream().map(seen::get).toList());
    }

    static void non_persistent(Context c) throws Exception {
        var topic = "non-persistent://public/default/" + c.name("");
        var producer = c.producer().topic(topic).create();
        producer.send(bytes("nobody listens"));
        var consumer = c.consumer(topic).subscribe();
        var first = c.shared(topic).subscriptionName("two").subscribe();
        var second = c.shared(topic).subscriptionName("two").subscribe();
        send(producer, numbered(10));
        equal(texts(take(consumer, 10)), numbered(10));
        var both = new ArrayList<>(texts(drain(first)));
        both.addAll(texts(drain(second)));
        equal(both.stream().sorted().toList(), numbered(10));
        consumer.close();
        silent(c.consumer(topic).subscribe());
    }

    static void multi_topic(Context c) throws Exception {
        var names = List.of(c.topic("-0"), c.topic("-1"), c.topic("-2"));
        var consumer = c.client().newConsumer().topics(names).subscriptionName("sub").subscribe();
        for (var name : names) c.producer().topic(name).create().send(bytes(name));
        var messages = take(consumer, 3);
        equal(texts(messages).stream().sorted().toList(), names);
        for (var message : messages) {
            equal(message.getTopicName(), text(message));
            consumer.acknowledge(message);
        }
        silent(consumer);
    }

    static void pattern(Context c) throws Exception {
        c.producer().topic(c.topic("-0")).create().send(bytes("zero"));
        var consumer = c.client().newConsumer().topicsPattern(Pattern.compile(c.topic("-") + ".*"))
            .subscriptionName("sub").subscriptionInitialPosition(SubscriptionInitialPosition.Earliest).subscribe();
        equal(text(receive(consumer)), "zero");
        // No period is set: the broker tells of it, by the watcher of the list of topics.
        c.producer().topic(c.topic("-1")).create().send(bytes("one"));
        equal(text(receive(consumer)), "one");
        silent(consumer);
    }

    static void topic_listing(Context c) throws Exception {
        c.admin().topics().createPartitionedTopic(c.topic("-p"), 3);
        var expected = List.of(c.topic("-p-partition-0"), c.topic("-p-partition-1"), c.topic("-p-partition-2"));
        equal(c.client().getPartitionsForTopic(c.topic("-p")).get(), expected);
        c.producer().create().close();
        equal(c.client().getPartitionsForTopic(c.topic()).get(), List.of(c.topic()));
    }

    static void partition_growth(Context c) throws Exception {
        c.partitioned(2);
        var producer = c.producer().autoUpdatePartitionsInterval(1, TimeUnit.SECONDS).create();
        var consumer = c.consumer().autoUpdatePartitionsInterval(1, TimeUnit.SECONDS).subscribe();
        c.admin().topics().updatePartitionedTopic(c.topic(), 4);
        var used = new HashSet<Integer>();
        var open = new int[1];
        eventually("all partitions are used", () -> {
            producer.send(bytes("x"));
            open[0]++;
            return count(consumer, used, open, 200) && used.size() == 4;
        });
        eventually("nothing is lost", () -> count(consumer, used, open, 1_000) && open[0] == 0);
    }

    private static boolean count(Consumer<byte[]> consumer, HashSet<Integer> used, int[] open, int waitMs)
        throws Exception {
        var message = consumer.receive(waitMs, TimeUnit.MILLISECONDS);
        if (message == null) return open[0] == 0;
        used.add(partition(message));
        open[0]--;
        return true;
    }

    static void missing_namespace(Context c) throws Exception {
        var topic = "persistent://public/" + c.name("-nowhere") + "/topic";
        c.note("producer", refused(() -> c.producer().topic(topic).create()));
        c.note("consumer", refused(() -> c.consumer(topic).subscribe()));
    }

    static void termination(Context c) throws Exception {
        var producer = c.producer().create();
        var consumer = c.consumer().subscribe();
        send(producer, numbered(3));
        var last = c.admin().topics().terminateTopic(c.topic());
        c.note("error of the producer", refused(() -> producer.send(bytes("too late"))));
        c.note("error of a new producer", refused(() -> c.producer().create()));
        var messages = take(consumer, 3);
        equal(((MessageIdAdv) last).getEntryId(), ((MessageIdAdv) messages.get(2).getMessageId()).getEntryId());
        silent(consumer);
        equal(texts(take(c.consumer().subscriptionName("late").subscribe(), 3)), numbered(3));
    }

    static void end_of_topic(Context c) throws Exception {
        var told = new java.util.concurrent.CompletableFuture<Boolean>();
        var consumer = c.consumer().subscribe();
        c.consumer().subscriptionName("listening").messageListener(new MessageListener<>() {
            @Override
            public void received(Consumer<byte[]> one, Message<byte[]> message) {
                one.acknowledgeAsync(message);
            }

            @Override
            public void reachedEndOfTopic(Consumer<byte[]> one) {
                told.complete(true);
            }
        }).subscribe();
        send(c.producer().create(), numbered(2));
        check(!consumer.hasReachedEndOfTopic(), "it has not ended");
        c.admin().topics().terminateTopic(c.topic());
        for (var message : take(consumer, 2)) consumer.acknowledge(message);
        eventually("the consumer knows", consumer::hasReachedEndOfTopic);
        told.get(WAIT_MS, TimeUnit.MILLISECONDS);
    }

    static void compaction(Context c) throws Exception {
        var producer = c.producer().create();
        for (int i = 0; i < 12; i++) producer.newMessage().key("key " + i % 3).value(bytes("value " + i)).send();
        producer.newMessage().key("key 2").value(null).send();
        c.admin().topics().triggerCompaction(c.topic());
        eventually("it is compacted", () ->
            c.admin().topics().compactionStatus(c.topic()).status == LongRunningProcessStatus.Status.SUCCESS);
        producer.newMessage().key("key 0").value(bytes("later")).send();
        var compacted = c.consumer().subscriptionName("compacted").readCompacted(true).subscribe();
        var expected = List.of("later", "value 10", "value 9");
        equal(texts(drain(compacted)).stream().sorted().toList(), expected);
        equal(drain(c.consumer().subscriptionName("plain").subscribe()).size(), 14);
        var reader = c.reader().readCompacted(true).create();
        var seen = new ArrayList<String>();
        while (reader.hasMessageAvailable()) seen.add(next(reader));
        equal(seen.stream().sorted().toList(), expected);
    }

    static void unload(Context c) throws Exception {
        var producer = c.producer().create();
        var consumer = c.consumer().subscribe();
        send(producer, numbered(5));
        for (var message : take(consumer, 5)) consumer.acknowledge(message);
        Thread.sleep(500);
        c.admin().topics().unload(c.topic());
        send(producer, numbered(5, "later"));
        equal(texts(take(consumer, 5)), numbered(5, "later"));
        silent(consumer);
    }

    static void delete_in_use(Context c) throws Exception {
        var producer = c.producer().create();
        c.consumer().subscribe();
        c.note("status", refused(() -> c.admin().topics().delete(c.topic())));
        producer.send(bytes("still there"));
        c.admin().topics().delete(c.topic(), true);
        eventually("it is gone or anew", () -> {
            var found = c.http("GET", "/admin/v2/persistent/public/default/" + c.name("") + "/stats", null);
            return found.statusCode() == 404 || found.body().contains("\"msgInCounter\":0,");
        });
    }

    static void several_service_urls(Context c) throws Exception {
        var live = c.text("serviceUrl").substring("pulsar://".length());
        var client = c.keep(c.clientBuilder().serviceUrl("pulsar://127.0.0.1:1," + live).build());
        client.newProducer().topic(c.topic()).create().send(bytes("x"));
    }

    static void http_lookup(Context c) throws Exception {
        var client = c.keep(c.clientBuilder().serviceUrl(c.text("adminUrl")).build());
        var consumer = client.newConsumer().topic(c.topic()).subscriptionName("sub").subscribe();
        client.newProducer().topic(c.topic()).create().send(bytes("x"));
        equal(text(receive(consumer)), "x");
        equal(client.getPartitionsForTopic(c.topic()).get(), List.of(c.topic()));
    }

    static void broker_restart(Context c) throws Exception {
        var producer = c.producer().sendTimeout(1, TimeUnit.MINUTES).create();
        var consumer = c.consumer().subscribe();
        send(producer, numbered(10));
        var seen = new HashSet<>(texts(take(consumer, 5)));
        c.control("restart");
        send(producer, numbered(10, "later"));
        seen.addAll(texts(drain(consumer, 3_000)));
        equal(seen.size(), 20);
    }
}
