import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.util.List;
import java.util.Map;
import org.apache.pulsar.client.api.*;
import org.apache.pulsar.client.api.schema.GenericRecord;
import org.apache.pulsar.client.api.schema.GenericSchema;
import org.apache.pulsar.common.schema.KeyValue;
import org.apache.pulsar.common.schema.KeyValueEncodingType;
import org.apache.pulsar.common.schema.SchemaInfo;
import org.apache.pulsar.common.schema.SchemaType;

/** Schemas. */
class Schemas extends Context {
    static final String READING = """
        {"type":"record","name":"Reading","namespace":"weir","fields":[
        {"name":"source","type":"string"},{"name":"value","type":"int"}]}""";
    static final String OTHER = """
        {"type":"record","name":"Reading","namespace":"weir","fields":[
        {"name":"source","type":"string"},{"name":"value","type":"string"}]}""";
    static final String WIDER = """
        {"type":"record","name":"Reading","namespace":"weir","fields":[
        {"name":"source","type":"string"},{"name":"value","type":"int"},
        {"name":"unit","type":"string","default":"none"}]}""";

    private Schemas() {
        super(null, null);
    }

    public static class Reading {
        public String source;
        public int value;
    }

    static Reading reading(String source, int value) {
        var reading = new Reading();
        reading.source = source;
        reading.value = value;
        return reading;
    }

    static GenericSchema<GenericRecord> generic(String json) {
        var info = SchemaInfo.builder().name("Reading").type(SchemaType.AVRO)
            .schema(json.getBytes(StandardCharsets.UTF_8)).properties(Map.of()).build();
        return Schema.generic(info);
    }

    private static <T> T through(Context c, String suffix, Schema<T> schema, T value, String kind) throws Exception {
        var topic = c.topic(suffix);
        var consumer = c.client().newConsumer(schema).topic(topic).subscriptionName("sub").subscribe();
        c.client().newProducer(schema).topic(topic).create().send(value);
        equal(c.admin().schemas().getSchemaInfo(topic).getType().name(), kind);
        return receive(consumer).getValue();
    }

    static void schema_string(Context c) throws Exception {
        equal(through(c, "", Schema.STRING, "the text", "STRING"), "the text");
    }

    static void schema_json(Context c) throws Exception {
        var seen = through(c, "", Schema.JSON(Reading.class), reading("a", 1), "JSON");
        equal(seen.source + seen.value, "a1");
    }

    static void schema_avro(Context c) throws Exception {
        var seen = through(c, "", Schema.AVRO(Reading.class), reading("a", 1), "AVRO");
        equal(seen.source + seen.value, "a1");
    }

    static void schema_numbers(Context c) throws Exception {
        equal(through(c, "-int8", Schema.INT8, (byte) -8, "INT8"), (byte) -8);
        equal(through(c, "-int16", Schema.INT16, (short) -1600, "INT16"), (short) -1600);
        equal(through(c, "-int32", Schema.INT32, -320_000, "INT32"), -320_000);
        equal(through(c, "-int64", Schema.INT64, -(1L << 40), "INT64"), -(1L << 40));
        equal(through(c, "-float", Schema.FLOAT, 1.5f, "FLOAT"), 1.5f);
        equal(through(c, "-double", Schema.DOUBLE, 2.25, "DOUBLE"), 2.25);
        equal(through(c, "-boolean", Schema.BOOL, true, "BOOLEAN"), true);
    }

    static void schema_time(Context c) throws Exception {
        var now = Instant.ofEpochMilli(1_700_000_000_123L);
        var day = LocalDate.of(2026, 11, 21);
        var noon = LocalTime.of(12, 34, 56, 789_000);
        var date = new java.util.Date(now.toEpochMilli());
        equal(through(c, "-date", Schema.DATE, date, "DATE"), date);
        var time = new java.sql.Time(now.toEpochMilli());
        equal(through(c, "-time", Schema.TIME, time, "TIME").getTime(), time.getTime());
        var stamp = new java.sql.Timestamp(now.toEpochMilli());
        equal(through(c, "-timestamp", Schema.TIMESTAMP, stamp, "TIMESTAMP"), stamp);
        equal(through(c, "-instant", Schema.INSTANT, now, "INSTANT"), now);
        equal(through(c, "-local-date", Schema.LOCAL_DATE, day, "LOCAL_DATE"), day);
        equal(through(c, "-local-time", Schema.LOCAL_TIME, noon, "LOCAL_TIME"), noon);
        var both = LocalDateTime.of(day, noon);
        equal(through(c, "-local-date-time", Schema.LOCAL_DATE_TIME, both, "LOCAL_DATE_TIME"), both);
    }

    static void schema_protobuf_native(Context c) throws Exception {
        var schema = Schema.PROTOBUF_NATIVE(com.google.protobuf.Duration.class);
        var value = com.google.protobuf.Duration.newBuilder().setSeconds(7).build();
        equal(through(c, "", schema, value, "PROTOBUF_NATIVE").getSeconds(), 7L);
    }

    static void schema_key_value(Context c) throws Exception {
        for (var encoding : KeyValueEncodingType.values()) {
            var schema = Schema.KeyValue(Schema.STRING, Schema.AVRO(Reading.class), encoding);
            var seen = through(c, "-" + encoding, schema, new KeyValue<>("key", reading("a", 1)), "KEY_VALUE");
            equal(seen.getKey() + seen.getValue().source + seen.getValue().value, "keya1");
        }
    }

    static void schema_incompatible(Context c) throws Exception {
        c.client().newProducer(generic(READING)).topic(c.topic()).create();
        var other = generic(OTHER);
        c.note("producer", refused(() -> c.client().newProducer(other).topic(c.topic()).create()));
        c.note("consumer", refused(() ->
            c.client().newConsumer(other).topic(c.topic()).subscriptionName("other").subscribe()));
        c.note("another kind", refused(() -> c.client().newProducer(Schema.STRING).topic(c.topic()).create()));
    }

    private static void sendBoth(Context c) throws Exception {
        var reading = generic(READING);
        c.client().newProducer(reading).topic(c.topic()).create()
            .send(reading.newRecordBuilder().set("source", "old").set("value", 1).build());
        var wider = generic(WIDER);
        c.client().newProducer(wider).topic(c.topic()).create()
            .send(wider.newRecordBuilder().set("source", "new").set("value", 2).set("unit", "K").build());
    }

    static void schema_evolution(Context c) throws Exception {
        sendBoth(c);
        var messages = take(c.client().newConsumer(generic(WIDER)).topic(c.topic()).subscriptionName("sub")
            .subscriptionInitialPosition(SubscriptionInitialPosition.Earliest).subscribe(), 2);
        for (int i = 0; i < 2; i++) {
            equal(ByteBuffer.wrap(messages.get(i).getSchemaVersion()).getLong(), (long) i);
        }
        equal(messages.get(0).getValue().getField("unit"), "none");
        equal(messages.get(1).getValue().getField("unit"), "K");
    }

    static void schema_auto_consume(Context c) throws Exception {
        sendBoth(c);
        var reader = c.client().newReader(Schema.AUTO_CONSUME()).topic(c.topic())
            .startMessageId(MessageId.earliest).create();
        GenericRecord old = reader.readNext().getValue();
        GenericRecord wide = reader.readNext().getValue();
        equal(old.getFields().size(), 2);
        equal(old.getField("source"), "old");
        equal(wide.getField("unit"), "K");
    }

    static void schema_auto_produce(Context c) throws Exception {
        var schema = Schema.AVRO(Reading.class);
        var consumer = c.client().newConsumer(schema).topic(c.topic()).subscriptionName("sub").subscribe();
        var producer = c.client().newProducer(Schema.AUTO_PRODUCE_BYTES()).topic(c.topic()).create();
        producer.send(schema.encode(reading("a", 1)));
        equal(receive(consumer).getValue().source, "a");
        try {
            producer.send(new byte[] {(byte) 0xff});
            throw new AssertionError("bytes that are no record were accepted");
        } catch (SchemaSerializationException expected) {
            c.note("error", expected.getClass().getSimpleName());
        }
    }
}
