import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.pulsar.client.api.*;

/** Messages, readers and views. */
class Messages extends Context {
    private Messages() {
        super(null, null);
    }

    static void single(Context c) throws Exception {
        var consumer = c.consumer().subscribe();
        send(c.producer().create(), numbered(20));
        equal(texts(take(consumer, 20)), numbered(20));
        silent(consumer);
    }

    static void metadata(Context c) throws Exception {
        var consumer = c.consumer().subscribe();
        var producer = c.producer().producerName(c.name("-producer")).create();
        var before = System.currentTimeMillis();
        producer.newMessage().value(bytes("x")).key("the key").orderingKey(bytes("the order")).property("a", "1")
            .property("b", "zwei ä").eventTime(1_700_000_000_123L).sequenceId(42).send();
        var message = receive(consumer);
        equal(message.getKey(), "the key");
        equal(new String(message.getOrderingKey()), "the order");
        equal(message.getProperties(), Map.of("a", "1", "b", "zwei ä"));
        equal(message.getEventTime(), 1_700_000_000_123L);
        equal(message.getProducerName(), c.name("-producer"));
        equal(message.getSequenceId(), 42L);
        equal(message.getTopicName(), c.topic());
        check(message.getPublishTime() >= before - 5_000, "published at " + message.getPublishTime());
    }

    static void empty_message(Context c) throws Exception {
        var consumer = c.consumer().subscribe();
        c.producer().create().send(new byte[0]);
        equal(receive(consumer).getData().length, 0);
    }

    static void large_message(Context c) throws Exception {
        var consumer = c.consumer().subscribe();
        var payload = "0123456789".repeat(500_000);
        c.producer().create().send(bytes(payload));
        check(text(receive(consumer)).equals(payload), "another payload came");
    }

    static void too_large_refused(Context c) throws Exception {
        var consumer = c.consumer().subscribe();
        var producer = c.producer().create();
        c.note("error", refused(() -> producer.send(new byte[6_000_000])));
        producer.send(bytes("after it"));
        equal(text(receive(consumer)), "after it");
    }

    static void message_id(Context c) throws Exception {
        var consumer = c.consumer().subscribe();
        var sent = send(c.producer().create(), numbered(3));
        var received = take(consumer, 3);
        for (int i = 0; i < 3; i++) {
            var id = received.get(i).getMessageId();
            equal(id.compareTo(sent.get(i)), 0);
            equal(MessageId.fromByteArray(id.toByteArray()).compareTo(id), 0);
        }
        check(sent.get(0).compareTo(sent.get(1)) < 0, "ids do not grow");
    }

    static void batch_none(Context c) throws Exception {
        batches(c, CompressionType.NONE);
    }

    static void batch_lz4(Context c) throws Exception {
        batches(c, CompressionType.LZ4);
    }

    static void batch_zlib(Context c) throws Exception {
        batches(c, CompressionType.ZLIB);
    }

    static void batch_zstd(Context c) throws Exception {
        batches(c, CompressionType.ZSTD);
    }

    static void batch_snappy(Context c) throws Exception {
        batches(c, CompressionType.SNAPPY);
    }

    static void batches(Context c, CompressionType codec) throws Exception {
        var consumer = c.consumer().subscribe();
        var texts = numbered(100, "x".repeat(200));
        sendAll(c.batching().compressionType(codec).create(), texts);
        var messages = take(consumer, 100);
        equal(texts(messages), texts);
        var entries = new HashSet<Long>();
        for (int i = 0; i < 100; i++) {
            var id = (MessageIdAdv) messages.get(i).getMessageId();
            entries.add(id.getEntryId());
            equal(id.getBatchIndex(), i % 10);
        }
        equal(entries.size(), 10);
        silent(consumer);
    }

    static void batch_by_key(Context c) throws Exception {
        var consumer = c.consumer().subscriptionType(SubscriptionType.Key_Shared).subscribe();
        var producer = c.batching().batcherBuilder(BatcherBuilder.KEY_BASED).batchingMaxMessages(100).create();
        for (int i = 0; i < 20; i++) producer.newMessage().key("key " + i % 2).value(bytes("" + i)).sendAsync();
        producer.flush();
        var byEntry = new HashMap<Long, Set<String>>();
        for (var message : take(consumer, 20)) {
            var entry = ((MessageIdAdv) message.getMessageId()).getEntryId();
            byEntry.computeIfAbsent(entry, key -> new HashSet<>()).add(message.getKey());
        }
        equal(byEntry.size(), 2);
        for (var keys : byEntry.values()) equal(keys.size(), 1);
    }

    static void chunking(Context c) throws Exception {
        var consumer = c.consumer().subscribe();
        var whole = "0123456789".repeat(1_200_000);
        send(c.producer().enableChunking(true).create(), List.of("before", whole, "after"));
        var messages = take(consumer, 3);
        equal(text(messages.get(0)), "before");
        check(text(messages.get(1)).equals(whole), "another payload came");
        equal(text(messages.get(2)), "after");
        for (var message : messages) consumer.acknowledge(message);
        consumer.close();
        silent(c.consumer().subscribe());
    }

    static void reader(Context c) throws Exception {
        send(c.producer().create(), numbered(10));
        var reader = c.reader().create();
        for (var expected : numbered(10)) equal(next(reader), expected);
        equal(c.admin().topics().getStats(c.topic()).getSubscriptions().size(), 1);
        reader.close();
        eventually("the subscription of the reader is gone",
            () -> c.admin().topics().getStats(c.topic()).getSubscriptions().isEmpty());
    }

    static void reader_from_id(Context c) throws Exception {
        var ids = send(c.producer().create(), numbered(5));
        var behind = c.reader().startMessageId(ids.get(2)).create();
        equal(next(behind), "message 3");
        equal(next(c.reader().startMessageId(ids.get(2)).startMessageIdInclusive().create()), "message 2");
        behind.seek(ids.get(0));
        c.note("after a seek to the first", next(behind));
    }

    static void reader_latest(Context c) throws Exception {
        var producer = c.producer().create();
        producer.send(bytes("before"));
        var reader = c.reader().startMessageId(MessageId.latest).create();
        check(!reader.hasMessageAvailable(), "there is nothing yet");
        producer.send(bytes("after"));
        equal(next(reader), "after");
    }

    static void has_message_available(Context c) throws Exception {
        var producer = c.batching().create();
        var reader = c.reader().create();
        check(!reader.hasMessageAvailable(), "the topic is empty");
        sendAll(producer, numbered(3));
        for (int i = 0; i < 3; i++) {
            check(reader.hasMessageAvailable(), "there is one more");
            next(reader);
        }
        check(!reader.hasMessageAvailable(), "it was the last");
        sendAll(producer, numbered(1));
        check(reader.hasMessageAvailable(), "another one came");
    }

    static void last_message_id(Context c) throws Exception {
        var consumer = c.consumer().subscribe();
        var empty = (MessageIdAdv) consumer.getLastMessageIds().get(0);
        c.note("empty", empty.getEntryId());
        sendAll(c.batching().create(), numbered(3));
        var last = consumer.getLastMessageIds().get(0);
        equal(last.compareTo(take(consumer, 3).get(2).getMessageId()), 0);
    }

    static void table_view(Context c) throws Exception {
        var producer = c.producer().create();
        for (int i = 0; i < 10; i++) producer.newMessage().key("key " + i % 3).value(bytes("value " + i)).send();
        var view = c.client().newTableView().topic(c.topic()).create();
        var seen = new ArrayList<String>();
        for (int i = 0; i < 3; i++) seen.add(new String(view.get("key " + i)));
        equal(seen, List.of("value 9", "value 7", "value 8"));
        equal(view.size(), 3);
        producer.newMessage().key("key 1").value(bytes("newer")).send();
        eventually("it follows", () -> new String(view.get("key 1")).equals("newer"));
        producer.newMessage().key("key 2").value(null).send();
        eventually("what was deleted is gone", () -> !view.containsKey("key 2"));
    }
}
