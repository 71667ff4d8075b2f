import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.pulsar.client.api.*;

/** Receiving, acknowledgement, redelivery, time. */
class Receiving extends Context {
    private Receiving() {
        super(null, null);
    }

    static void batch_receive(Context c) throws Exception {
        var policy = BatchReceivePolicy.builder().maxNumMessages(10).timeout(2, TimeUnit.SECONDS).build();
        var consumer = c.consumer().batchReceivePolicy(policy).subscribe();
        sendAll(c.batching().create(), numbered(20));
        var seen = new ArrayList<String>();
        while (seen.size() < 20) {
            var messages = consumer.batchReceive();
            check(messages.size() > 0 && messages.size() <= 10, messages.size() + " at once");
            messages.forEach(message -> seen.add(text(message)));
        }
        equal(seen, numbered(20));
    }

    static void listener(Context c) throws Exception {
        var seen = Collections.synchronizedList(new ArrayList<String>());
        c.consumer().messageListener((consumer, message) -> {
            seen.add(text(message));
            consumer.acknowledgeAsync(message);
        }).subscribe();
        send(c.producer().create(), numbered(10));
        eventually("all were heard", () -> seen.size() == 10);
        equal(seen, numbered(10));
    }

    static void small_queue(Context c) throws Exception {
        var consumer = c.consumer().receiverQueueSize(1).subscribe();
        sendAll(c.batching().create(), numbered(50));
        equal(texts(take(consumer, 50)), numbered(50));
    }

    static void zero_queue(Context c) throws Exception {
        send(c.producer().create(), numbered(4));
        var first = c.shared().receiverQueueSize(0).subscribe();
        // The first one holds nothing that it was not asked for: all is left for the second.
        var second = c.shared().receiverQueueSize(10).subscribe();
        equal(texts(take(second, 4)), numbered(4));
        first.close();
    }

    private static List<String> messages(int... numbers) {
        return java.util.Arrays.stream(numbers).mapToObj(i -> "message " + i).toList();
    }

    static void ack_individual(Context c) throws Exception {
        send(c.producer().create(), numbered(6));
        var consumer = c.consumer().subscribe();
        var messages = take(consumer, 6);
        for (int i : List.of(0, 2, 5)) consumer.acknowledge(messages.get(i));
        consumer.close();
        var again = c.consumer().subscribe();
        equal(texts(take(again, 3)), messages(1, 3, 4));
        silent(again);
    }

    static void ack_cumulative(Context c) throws Exception {
        send(c.producer().create(), numbered(8));
        var consumer = c.consumer().subscribe();
        consumer.acknowledgeCumulative(take(consumer, 8).get(4));
        consumer.close();
        var again = c.consumer().subscribe();
        equal(texts(take(again, 3)), messages(5, 6, 7));
        silent(again);
    }

    static void ack_batch_index(Context c) throws Exception {
        var builder = c.shared().enableBatchIndexAcknowledgment(true);
        var consumer = builder.clone().subscribe();
        sendAll(c.batching().create(), numbered(10));
        var messages = take(consumer, 10);
        for (int i : List.of(1, 3, 4, 9)) consumer.acknowledge(messages.get(i));
        consumer.close();
        var again = builder.clone().subscribe();
        equal(texts(take(again, 6)), messages(0, 2, 5, 6, 7, 8));
        silent(again);
    }

    static void ack_cumulative_in_batch(Context c) throws Exception {
        var builder = c.consumer().enableBatchIndexAcknowledgment(true);
        var consumer = builder.clone().subscribe();
        sendAll(c.batching().create(), numbered(10));
        consumer.acknowledgeCumulative(take(consumer, 10).get(6));
        consumer.close();
        var again = builder.clone().subscribe();
        equal(texts(take(again, 3)), messages(7, 8, 9));
        silent(again);
    }

    static void ack_receipt(Context c) throws Exception {
        var builder = c.consumer().isAckReceiptEnabled(true).acknowledgmentGroupTime(0, TimeUnit.MILLISECONDS);
        var consumer = builder.clone().subscribe();
        send(c.producer().create(), numbered(5));
        var messages = take(consumer, 5);
        consumer.acknowledgeAsync(messages.get(0)).get(WAIT_MS, TimeUnit.MILLISECONDS);
        consumer.acknowledgeAsync(List.of(messages.get(1).getMessageId(), messages.get(3).getMessageId()))
            .get(WAIT_MS, TimeUnit.MILLISECONDS);
        consumer.acknowledgeCumulativeAsync(messages.get(1)).get(WAIT_MS, TimeUnit.MILLISECONDS);
        consumer.close();
        var again = builder.clone().subscribe();
        equal(texts(take(again, 2)), messages(2, 4));
        silent(again);
    }

    static void negative_ack(Context c) throws Exception {
        var consumer = c.shared().negativeAckRedeliveryDelay(200, TimeUnit.MILLISECONDS).subscribe();
        send(c.producer().create(), numbered(3));
        var messages = take(consumer, 3);
        consumer.acknowledge(messages.get(0));
        consumer.acknowledge(messages.get(2));
        var counts = new ArrayList<>(List.of(messages.get(1).getRedeliveryCount()));
        consumer.negativeAcknowledge(messages.get(1));
        for (int i = 0; i < 2; i++) {
            var again = receive(consumer);
            equal(text(again), "message 1");
            counts.add(again.getRedeliveryCount());
            consumer.negativeAcknowledge(again);
        }
        equal(counts, List.of(0, 1, 2));
        consumer.acknowledge(receive(consumer));
        silent(consumer);
    }

    static void ack_timeout(Context c) throws Exception {
        var consumer = c.shared().ackTimeout(1, TimeUnit.SECONDS).ackTimeoutTickTime(200, TimeUnit.MILLISECONDS).subscribe();
        send(c.producer().create(), numbered(2));
        var messages = take(consumer, 2);
        consumer.acknowledge(messages.get(0));
        var again = receive(consumer);
        equal(text(again), "message 1");
        c.note("redelivery count", again.getRedeliveryCount());
        consumer.acknowledge(again);
        silent(consumer);
    }

    static void redeliver_all(Context c) throws Exception {
        var consumer = c.consumer().acknowledgmentGroupTime(0, TimeUnit.MILLISECONDS).subscribe();
        send(c.producer().create(), numbered(5));
        consumer.acknowledge(take(consumer, 5).get(0));
        Thread.sleep(300);
        consumer.redeliverUnacknowledgedMessages();
        equal(texts(take(consumer, 4)), messages(1, 2, 3, 4));
        silent(consumer);
    }

    static void reconnect_redelivery(Context c) throws Exception {
        var first = c.shared().receiverQueueSize(10).subscribe();
        send(c.producer().create(), numbered(5));
        var messages = take(first, 5);
        first.acknowledge(messages.get(0));
        first.acknowledge(messages.get(3));
        var second = c.shared().subscribe();
        silent(second);
        first.close();
        var again = take(second, 3);
        equal(texts(again), messages(1, 2, 4));
        c.note("redelivery counts", again.stream().map(Message::getRedeliveryCount).toList());
    }

    static void dead_letter(Context c) throws Exception {
        var policy = DeadLetterPolicy.builder().maxRedeliverCount(2).deadLetterTopic(c.topic("-dead")).build();
        var consumer = c.shared().negativeAckRedeliveryDelay(100, TimeUnit.MILLISECONDS).deadLetterPolicy(policy).subscribe();
        var dead = c.consumer(c.topic("-dead")).subscribe();
        c.producer().create().newMessage().key("key").property("a", "1").value(bytes("poison")).send();
        var counts = new ArrayList<Integer>();
        for (int i = 0; i < 3; i++) {
            var message = receive(consumer);
            counts.add(message.getRedeliveryCount());
            consumer.negativeAcknowledge(message);
        }
        equal(counts, List.of(0, 1, 2));
        var letter = receive(dead);
        equal(text(letter), "poison");
        equal(letter.getProperty("a"), "1");
        equal(letter.getKey(), "key");
        silent(consumer);
    }

    static void retry_topic(Context c) throws Exception {
        var policy = DeadLetterPolicy.builder().maxRedeliverCount(2).retryLetterTopic(c.topic("-retry"))
            .deadLetterTopic(c.topic("-dead")).build();
        var consumer = c.shared().enableRetry(true).deadLetterPolicy(policy).subscribe();
        var dead = c.consumer(c.topic("-dead")).subscribe();
        c.producer().create().send(bytes("again"));
        for (int i = 0; i < 3; i++) {
            var message = receive(consumer);
            equal(text(message), "again");
            consumer.reconsumeLater(message, 1_200, TimeUnit.MILLISECONDS);
        }
        var letter = receive(dead);
        equal(text(letter), "again");
        equal(letter.getProperty("REAL_TOPIC"), c.topic());
        silent(consumer);
    }

    static void deliver_after(Context c) throws Exception {
        var consumer = c.shared().subscribe();
        var producer = c.producer().create();
        var started = System.nanoTime();
        producer.newMessage().value(bytes("late")).deliverAfter(2_500, TimeUnit.MILLISECONDS).send();
        producer.send(bytes("soon"));
        equal(text(receive(consumer)), "soon");
        check(System.nanoTime() - started < 1_400_000_000L, "it came late");
        equal(text(receive(consumer)), "late");
        var tookMs = (System.nanoTime() - started) / 1_000_000;
        // The broker may be a tick, one second, early.
        check(tookMs > 1_400 && tookMs < 6_000, "it took " + tookMs);
    }

    static void deliver_at(Context c) throws Exception {
        var consumer = c.shared().subscribe();
        var producer = c.producer().create();
        var nowMs = System.currentTimeMillis();
        for (int delay : List.of(3_500, 1_500)) producer.newMessage().value(bytes("" + delay)).deliverAt(nowMs + delay).send();
        for (int delay : List.of(1_500, 3_500)) {
            equal(text(receive(consumer)), "" + delay);
            var earlyMs = nowMs + delay - System.currentTimeMillis();
            check(earlyMs <= 1_050, earlyMs + " ms early");
        }
    }

    static void seek_by_id(Context c) throws Exception {
        var ids = send(c.producer().create(), numbered(6));
        var consumer = c.consumer().subscribe();
        take(consumer, 6);
        consumer.seek(ids.get(2));
        equal(texts(take(consumer, 3)), messages(3, 4, 5));
        silent(consumer);
    }

    static void seek_by_id_inclusive(Context c) throws Exception {
        var ids = send(c.producer().create(), numbered(6));
        var consumer = c.consumer().startMessageIdInclusive().subscribe();
        take(consumer, 6);
        consumer.seek(ids.get(2));
        equal(texts(take(consumer, 4)), messages(2, 3, 4, 5));
    }

    static void seek_by_time(Context c) throws Exception {
        var producer = c.producer().create();
        send(producer, numbered(3));
        Thread.sleep(300);
        var middleMs = System.currentTimeMillis();
        Thread.sleep(300);
        send(producer, numbered(3, "later"));
        var consumer = c.consumer().subscribe();
        take(consumer, 6);
        consumer.seek(middleMs);
        equal(texts(take(consumer, 3)), numbered(3, "later"));
        silent(consumer);
    }

    static void seek_ends(Context c) throws Exception {
        var producer = c.producer().create();
        send(producer, numbered(5));
        var consumer = c.consumer().subscribe();
        for (var message : take(consumer, 5)) consumer.acknowledge(message);
        consumer.seek(MessageId.earliest);
        equal(texts(take(consumer, 5)), numbered(5));
        consumer.seek(MessageId.latest);
        producer.send(bytes("after"));
        equal(texts(take(consumer, 1)), List.of("after"));
        silent(consumer);
    }
}
