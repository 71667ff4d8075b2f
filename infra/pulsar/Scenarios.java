import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.apache.pulsar.client.api.*;
import org.apache.pulsar.client.api.schema.GenericRecord;

/**
 * What the official Java client does in each recorded scenario: one method a scenario.
 *
 *     java -cp 'LIB/*' Scenarios.java SCENARIO SERVICE_URL ADMIN_URL [TOKEN …]
 *
 */
public class Scenarios {
    static PulsarClient client;
    static String adminUrl;
    /** The first one is what the client shows. */
    static List<String> tokens;

    static final String READING = """
        {"type":"record","name":"Reading","namespace":"weir","fields":[
        {"name":"source","type":"string"},{"name":"value","type":"int"}]}""";
    static final String READING_EVOLVED = """
        {"type":"record","name":"Reading","namespace":"weir","fields":[
        {"name":"source","type":"string"},{"name":"value","type":"int"},
        {"name":"unit","type":["null","string"],"default":null}]}""";

    public static void main(String[] args) throws Exception {
        adminUrl = args[2];
        var builder = PulsarClient.builder().serviceUrl(args[1]).operationTimeout(8, TimeUnit.SECONDS);
        if (args.length > 3) {
            tokens = Arrays.asList(args).subList(3, args.length);
            builder.authentication(AuthenticationFactory.token(() -> tokens.get(0)));
        }
        client = builder.build();
        try {
            Scenarios.class.getDeclaredMethod(args[0]).invoke(null);
            client.close();
        } catch (java.lang.reflect.InvocationTargetException failed) {
            failed.getCause().printStackTrace();
            // The client's threads would keep the process alive.
            System.exit(1);
        }
        System.exit(0);
    }

    static String topic(String name) {
        return "persistent://public/default/java-" + name;
    }

    static void check(boolean condition, String what) {
        if (!condition) throw new AssertionError(what);
    }

    static void admin(String method, String path, String body) throws Exception {
        var request = HttpRequest.newBuilder(URI.create(adminUrl + "/admin/v2/" + path))
            .header("content-type", "application/json")
            .method(method, HttpRequest.BodyPublishers.ofString(body)).build();
        var http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        var response = http.send(request, HttpResponse.BodyHandlers.ofString());
        check(response.statusCode() < 300, path + ": " + response.statusCode() + " " + response.body());
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** A producer whose batches go out by flush() only. */
    static ProducerBuilder<byte[]> batching(String name) {
        return client.newProducer().topic(topic(name)).producerName(name + "-producer")
            .enableBatching(true).batchingMaxMessages(100).batchingMaxPublishDelay(1, TimeUnit.MINUTES);
    }

    static void sendBatch(Producer<byte[]> producer, int count) throws Exception {
        var sent = new ArrayList<CompletableFuture<MessageId>>();
        for (int i = 0; i < count; i++) sent.add(producer.newMessage().key("key-" + i % 2).value(bytes("message " + i)).sendAsync());
        producer.flush();
        for (var one : sent) one.get();
    }

    static ConsumerBuilder<byte[]> consumer(String name) {
        return client.newConsumer().topic(topic(name)).subscriptionName("sub").consumerName("consumer")
            .subscriptionInitialPosition(SubscriptionInitialPosition.Earliest);
    }

    static Message<byte[]> receive(Consumer<byte[]> consumer) throws Exception {
        var message = consumer.receive(5, TimeUnit.SECONDS);
        check(message != null, "nothing received");
        return message;
    }

    static void produce() throws Exception {
        try (var single = client.newProducer().topic(topic("produce")).producerName("single").enableBatching(false).create()) {
            single.newMessage().key("key-1").orderingKey(bytes("order-1")).property("a", "1").eventTime(1_700_000_000_000L)
                .value(bytes("single")).send();
        }
        try (var producer = batching("produce").create()) {
            sendBatch(producer, 5);
            sendBatch(producer, 1);
        }
        for (var type : List.of(CompressionType.LZ4, CompressionType.ZSTD, CompressionType.ZLIB, CompressionType.SNAPPY)) {
            try (var producer = batching("produce").producerName(type + "-producer").compressionType(type).create()) {
                sendBatch(producer, 20);
            }
        }
        try (var keyed = batching("produce").producerName("key-based").batcherBuilder(BatcherBuilder.KEY_BASED).create()) {
            sendBatch(keyed, 4);
        }
    }

    static void produce_avro() throws Exception {
        var schema = Schema.NATIVE_AVRO(new org.apache.avro.Schema.Parser().parse(READING));
        var evolved = Schema.NATIVE_AVRO(new org.apache.avro.Schema.Parser().parse(READING_EVOLVED));
        // zigzag: length 1, "s"; value 42
        byte[] record = {2, 's', 84};
        byte[] evolvedRecord = {2, 's', 84, 0};
        try (var producer = client.newProducer(schema).topic(topic("avro")).producerName("avro").create()) {
            producer.send(record);
        }
        try (var producer = client.newProducer(evolved).topic(topic("avro")).producerName("avro").create()) {
            producer.send(evolvedRecord);
        }
        try (var producer = client.newProducer(Schema.AUTO_PRODUCE_BYTES()).topic(topic("avro")).producerName("auto").create()) {
            producer.newMessage(schema).value(record).send();
        }
        try (var producer = client.newProducer(Schema.STRING).topic(topic("avro")).create()) {
            throw new AssertionError("the broker accepted another type of schema");
        } catch (PulsarClientException.IncompatibleSchemaException expected) {
            System.out.println(expected.getMessage());
        }
    }

    /** Reads what produce_avro has sent, by the schemas that the broker keeps. */
    static void auto_consume() throws Exception {
        try (Reader<GenericRecord> reader = client.newReader(Schema.AUTO_CONSUME()).topic(topic("avro"))
                .startMessageId(MessageId.earliest).create()) {
            for (int i = 0; i < 3; i++) {
                var message = reader.readNext(5, TimeUnit.SECONDS);
                check(message.getValue().getField("value").equals(42), "wrong value");
            }
        }
        for (var schema : List.of(Schema.STRING, Schema.INT32, Schema.JSON(Point.class))) {
            var name = topic("schema-" + schema.getSchemaInfo().getType());
            client.newProducer(schema).topic(name).producerName("typed").create().close();
        }
        var keyValue = Schema.KeyValue(Schema.STRING, Schema.INT32, org.apache.pulsar.common.schema.KeyValueEncodingType.SEPARATED);
        try (var producer = client.newProducer(keyValue).topic(topic("schema-KEY_VALUE")).producerName("typed").create()) {
            producer.send(new org.apache.pulsar.common.schema.KeyValue<>("key", 7));
        }
    }

    public static class Point {
        public int x;
        public int y;
    }

    static void chunks() throws Exception {
        var payload = "0123456789".repeat(250);
        try (var producer = client.newProducer().topic(topic("chunks")).producerName("chunk-producer")
                .enableBatching(false).enableChunking(true).chunkMaxMessageSize(1000).create();
             var consumer = consumer("chunks").subscribe()) {
            producer.send(bytes(payload));
            var message = receive(consumer);
            check(new String(message.getData()).equals(payload), "the chunks were put together wrongly");
            consumer.acknowledge(message);
        }
    }

    static void ack_receipt() throws Exception {
        try (var producer = batching("receipt").create();
             var consumer = consumer("receipt").isAckReceiptEnabled(true).enableBatchIndexAcknowledgment(true)
                 .acknowledgmentGroupTime(0, TimeUnit.MILLISECONDS).subscribe()) {
            for (int i = 0; i < 3; i++) sendBatch(producer, 4);
            var messages = new ArrayList<Message<byte[]>>();
            for (int i = 0; i < 12; i++) messages.add(receive(consumer));
            consumer.acknowledge(messages.get(1));
            consumer.acknowledgeCumulative(messages.get(5));
            consumer.acknowledgeCumulative(messages.get(7));
            for (var message : messages.subList(8, 12)) consumer.acknowledge(message);
        }
    }

    static void failover() throws Exception {
        try (var producer = batching("failover").create();
             var low = consumer("failover").subscriptionType(SubscriptionType.Failover).consumerName("low").priorityLevel(1).subscribe();
             var high = consumer("failover").subscriptionType(SubscriptionType.Failover).consumerName("high").priorityLevel(0)
                 .consumerEventListener(new ConsumerEventListener() {
                     public void becameActive(Consumer<?> consumer, int partition) {}
                     public void becameInactive(Consumer<?> consumer, int partition) {}
                 }).subscribe()) {
            Thread.sleep(1500);
            sendBatch(producer, 3);
            for (int i = 0; i < 3; i++) high.acknowledge(receive(high));
            high.close();
            Thread.sleep(1500);
            sendBatch(producer, 3);
            for (int i = 0; i < 3; i++) low.acknowledge(receive(low));
        }
    }

    static void pattern() throws Exception {
        client.newProducer().topic(topic("pattern-0")).producerName("pattern").create().close();
        try (var consumer = client.newConsumer().topicsPattern(Pattern.compile("persistent://public/default/java-pattern-.*"))
                .subscriptionName("sub").consumerName("consumer").subscribe()) {
            try (var producer = client.newProducer().topic(topic("pattern-1")).producerName("pattern").create()) {
                producer.send(bytes("found"));
                Thread.sleep(1500);
                producer.send(bytes("found again"));
                consumer.acknowledge(receive(consumer));
            }
        }
    }

    static void dead_letter() throws Exception {
        try (var producer = client.newProducer().topic(topic("poison")).producerName("poison").enableBatching(false).create();
             var consumer = consumer("poison").subscriptionType(SubscriptionType.Shared)
                 .negativeAckRedeliveryDelay(100, TimeUnit.MILLISECONDS)
                 .deadLetterPolicy(DeadLetterPolicy.builder().maxRedeliverCount(2).deadLetterTopic(topic("dead")).build()).subscribe();
             var dead = consumer("dead").subscribe()) {
            producer.send(bytes("poison"));
            for (int i = 0; i < 3; i++) consumer.negativeAcknowledge(receive(consumer));
            dead.acknowledge(receive(dead));
        }
    }

    static void seek() throws Exception {
        try (var producer = batching("seek").create(); var consumer = consumer("seek").subscribe()) {
            sendBatch(producer, 3);
            sendBatch(producer, 3);
            var first = receive(consumer);
            for (int i = 0; i < 5; i++) receive(consumer);
            consumer.seek(first.getMessageId());
            check(new String(receive(consumer).getData()).equals("message 1"), "not after the message that was sought");
            consumer.seek(MessageId.earliest);
            check(new String(receive(consumer).getData()).equals("message 0"), "not the earliest");
            consumer.seek(System.currentTimeMillis() - 3_600_000);
            check(new String(receive(consumer).getData()).equals("message 0"), "not all of the last hour");
            System.out.println(consumer.getLastMessageIds());
            consumer.unsubscribe();
        }
    }

    static void deduplication() throws Exception {
        admin("PUT", "namespaces/public/java-dedup", "{}");
        admin("POST", "namespaces/public/java-dedup/deduplication", "true");
        Thread.sleep(1000);
        var builder = batching("dedup").topic("persistent://public/java-dedup/dedup").producerName("dedup").sendTimeout(0, TimeUnit.SECONDS);
        try (var producer = builder.create()) {
            check(producer.getLastSequenceId() == -1, "new producer: " + producer.getLastSequenceId());
            sendBatch(producer, 5);
        }
        try (var producer = builder.create()) {
            check(producer.getLastSequenceId() == 4, "after a batch of five: " + producer.getLastSequenceId());
            sendBatch(producer, 2);
        }
        try (var producer = builder.initialSequenceId(1).create()) {
            producer.newMessage().sequenceId(3).value(bytes("duplicate")).sendAsync();
            producer.flush();
        }
    }

    static void table_view() throws Exception {
        try (var producer = client.newProducer().topic(topic("table")).producerName("table").create()) {
            for (int i = 0; i < 4; i++) producer.newMessage().key("key-" + i % 2).value(bytes("value " + i)).send();
            try (var table = client.newTableView().topic(topic("table")).create()) {
                check(new String(table.get("key-1")).equals("value 3"), "not the newest value");
            }
        }
    }

    /** The first token ends while the connection is open: the broker asks for another, on the same connection. */
    static void token_refresh() throws Exception {
        var producer = client.newProducer().topic(topic("token-refresh")).producerName("refresh-producer")
            .enableBatching(false).create();
        producer.send(bytes("with the first token"));
        tokens = tokens.subList(1, 2);
        Thread.sleep(25_000);
        producer.send(bytes("with the second token"));
        producer.close();
    }
}
