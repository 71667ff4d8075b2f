import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.TimeUnit;
import org.apache.pulsar.client.api.*;

/** Subscriptions of all four types. */
class Subscriptions extends Context {
    private Subscriptions() {
        super(null, null);
    }

    static void exclusive(Context c) throws Exception {
        var first = c.consumer().subscribe();
        c.note("error", refused(() -> c.consumer().subscribe()));
        c.note("another type", refused(() -> c.shared().subscribe()));
        first.close();
        c.consumer().subscribe();
    }

    private static ConsumerBuilder<byte[]> failover(Context c, String topic, String name) throws Exception {
        return c.consumer(topic).subscriptionType(SubscriptionType.Failover).consumerName(name);
    }

    static void failover_by_name(Context c) throws Exception {
        c.partitioned(2);
        var second = failover(c, c.topic(), "b").subscribe();
        var first = failover(c, c.topic(), "a").subscribe();
        // A consumer that lives hands over after a second.
        Thread.sleep(1_500);
        var producers = new ArrayList<Producer<byte[]>>();
        for (int i = 0; i < 2; i++) producers.add(c.producer().topic(c.topic("-partition-" + i)).create());
        for (var text : numbered(5)) {
            for (int i = 0; i < 2; i++) producers.get(i).newMessage().property("partition", "" + i).value(bytes(text)).send();
        }
        var ofFirst = take(first, 5);
        var ofSecond = take(second, 5);
        equal(texts(ofFirst), numbered(5));
        equal(texts(ofSecond), numbered(5));
        for (var message : ofFirst) equal(message.getProperty("partition"), "0");
        for (var message : ofSecond) equal(message.getProperty("partition"), "1");
        for (var message : ofFirst.subList(0, 3)) first.acknowledge(message);
        for (var message : ofSecond) second.acknowledge(message);
        first.close();
        equal(texts(take(second, 2)), List.of("message 3", "message 4"));
        producers.get(0).send(bytes("another"));
        equal(text(receive(second)), "another");
    }

    /** Without partitions a hash chooses; the names are without the run, to compare brokers. */
    static void failover_by_ring(Context c) throws Exception {
        var all = new LinkedHashMap<String, Map<String, Consumer<byte[]>>>();
        for (int i = 0; i < 8; i++) {
            var topic = "persistent://public/default/java-failover-ring-" + i;
            all.put(topic, new LinkedHashMap<>());
            for (var name : List.of("a", "b", "c")) all.get(topic).put(name, failover(c, topic, name).subscribe());
        }
        Thread.sleep(2_500);
        for (var topic : all.keySet()) c.producer().topic(topic).create().send(bytes("x"));
        var active = "";
        for (var consumers : all.values()) {
            var seen = "";
            for (var one : consumers.entrySet()) if (!drain(one.getValue(), 150).isEmpty()) seen += one.getKey();
            equal(seen.length(), 1);
            active += seen;
        }
        c.note("active", active);
    }

    static void failover_by_priority(Context c) throws Exception {
        c.partitioned(1);
        var low = failover(c, c.topic(), "a").priorityLevel(1).subscribe();
        var high = failover(c, c.topic(), "b").priorityLevel(0).subscribe();
        Thread.sleep(1_500);
        var producer = c.producer().create();
        send(producer, numbered(3));
        for (var message : take(high, 3)) high.acknowledge(message);
        silent(low);
        high.close();
        send(producer, numbered(3, "later"));
        equal(texts(take(low, 3)), numbered(3, "later"));
    }

    static void shared(Context c) throws Exception {
        var consumers = new ArrayList<Consumer<byte[]>>();
        for (int i = 0; i < 3; i++) consumers.add(c.shared().receiverQueueSize(10).subscribe());
        send(c.producer().create(), numbered(60));
        var all = new ArrayList<String>();
        for (var consumer : consumers) {
            var seen = texts(drain(consumer));
            check(seen.size() >= 10, "one got " + seen.size() + " only");
            all.addAll(seen);
        }
        equal(all.stream().sorted().toList(), numbered(60).stream().sorted().toList());
    }

    static void shared_priority(Context c) throws Exception {
        var low = c.shared().receiverQueueSize(20).priorityLevel(1).subscribe();
        var high = c.shared().receiverQueueSize(5).priorityLevel(0).subscribe();
        send(c.producer().create(), numbered(10));
        Thread.sleep(SILENCE_MS);
        // What it may hold is full; the rest goes down.
        equal(texts(take(high, 5)), numbered(10).subList(0, 5));
        equal(texts(take(low, 5)), numbered(10).subList(5, 10));
    }

    static void key_shared(Context c) throws Exception {
        var builder = c.consumer().subscriptionType(SubscriptionType.Key_Shared);
        var consumers = List.of(builder.clone().subscribe(), builder.clone().subscribe());
        var producer = c.producer().create();
        for (int i = 0; i < 100; i++) producer.newMessage().key("key " + i % 20).value(bytes("" + i)).send();
        var owners = new HashMap<String, Integer>();
        var count = 0;
        for (int i = 0; i < 2; i++) {
            var last = new HashMap<String, Integer>();
            var messages = drain(consumers.get(i));
            check(!messages.isEmpty(), "consumer " + i + " got nothing");
            count += messages.size();
            for (var message : messages) {
                var owner = owners.put(message.getKey(), i);
                check(owner == null || owner == i, message.getKey() + " has two consumers");
                var number = Integer.parseInt(text(message));
                check(last.getOrDefault(message.getKey(), -1) < number, "out of order: " + number);
                last.put(message.getKey(), number);
            }
        }
        equal(count, 100);
    }

    /** Takes and acknowledges until it is told to leave. */
    private static class Member {
        final AtomicBoolean stop = new AtomicBoolean();
        final Thread thread;

        Member(Context c, Map<Integer, String> arrivals) throws Exception {
            var consumer = c.consumer().subscriptionType(SubscriptionType.Key_Shared).receiverQueueSize(20).subscribe();
            thread = new Thread(() -> {
                try {
                    while (!stop.get()) {
                        var message = consumer.receive(100, TimeUnit.MILLISECONDS);
                        if (message == null) continue;
                        // Only the first time counts: what was not acknowledged by one that left comes again.
                        synchronized (arrivals) {
                            arrivals.putIfAbsent(Integer.parseInt(text(message)), message.getKey());
                        }
                        consumer.acknowledge(message);
                        Thread.sleep(2);
                    }
                    consumer.close();
                } catch (Exception error) {
                    error.printStackTrace();
                }
            });
            thread.start();
        }

        void leave() throws Exception {
            stop.set(true);
            thread.join(WAIT_MS);
        }
    }

    static void key_shared_order(Context c) throws Exception {
        var arrivals = new LinkedHashMap<Integer, String>();
        var members = new ArrayList<Member>();
        members.add(new Member(c, arrivals));
        var producer = c.producer().create();
        for (int i = 0; i < 300; i++) {
            producer.newMessage().key("key " + i % 10).value(bytes("" + i)).send();
            if (i == 50 || i == 100 || i == 200) members.add(new Member(c, arrivals));
            if (i == 150 || i == 250) members.remove(0).leave();
        }
        eventually("all arrive", () -> {
            synchronized (arrivals) {
                return arrivals.size() == 300;
            }
        });
        for (var member : members) member.leave();
        var last = new HashMap<String, Integer>();
        for (var one : arrivals.entrySet()) {
            var before = last.put(one.getValue(), one.getKey());
            check(before == null || before < one.getKey(), one.getKey() + " after " + before);
        }
    }

    private static Consumer<byte[]> sticky(Context c, int start, int end) throws Exception {
        return c.consumer().subscriptionType(SubscriptionType.Key_Shared)
            .keySharedPolicy(KeySharedPolicy.stickyHashRange().ranges(Range.of(start, end))).subscribe();
    }

    static void key_shared_sticky(Context c) throws Exception {
        var low = sticky(c, 0, 32_767);
        var high = sticky(c, 32_768, 65_535);
        c.note("overlap", refused(() -> sticky(c, 100, 200)));
        var producer = c.producer().create();
        for (int i = 0; i < 40; i++) producer.newMessage().key("key " + i).value(bytes("" + i)).send();
        var lower = texts(drain(low));
        equal(lower.size() + drain(high).size(), 40);
        // By Murmur3 of the key, modulo 65536: the same for every broker.
        c.note("low half", lower.stream().sorted().toList());
    }

    static void initial_position(Context c) throws Exception {
        var producer = c.producer().create();
        producer.send(bytes("before"));
        var earliest = c.consumer().subscriptionName("earliest").subscribe();
        var latest = c.consumer().subscriptionName("latest")
            .subscriptionInitialPosition(SubscriptionInitialPosition.Latest).subscribe();
        producer.send(bytes("after"));
        equal(texts(take(earliest, 2)), List.of("before", "after"));
        equal(texts(take(latest, 1)), List.of("after"));
    }

    static void consumer_properties(Context c) throws Exception {
        c.consumer().consumerName("me").properties(Map.of("a", "1")).subscriptionProperties(Map.of("b", "2")).subscribe();
        var stats = c.admin().topics().getStats(c.topic()).getSubscriptions().get("sub");
        equal(stats.getConsumers().size(), 1);
        equal(stats.getConsumers().get(0).getConsumerName(), "me");
        equal(stats.getConsumers().get(0).getMetadata(), Map.of("a", "1"));
        equal(stats.getSubscriptionProperties(), Map.of("b", "2"));
    }

    static void unsubscribe(Context c) throws Exception {
        var producer = c.producer().create();
        var consumer = c.consumer().subscribe();
        producer.send(bytes("before"));
        consumer.acknowledge(receive(consumer));
        consumer.unsubscribe();
        check(c.admin().topics().getStats(c.topic()).getSubscriptions().isEmpty(), "it is still there");
        equal(text(receive(c.consumer().subscribe())), "before");
    }
}
