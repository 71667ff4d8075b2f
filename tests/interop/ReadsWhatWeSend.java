import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.apache.pulsar.client.api.Consumer;
import org.apache.pulsar.client.api.Message;
import org.apache.pulsar.client.api.Producer;
import org.apache.pulsar.client.api.PulsarClient;
import org.apache.pulsar.client.api.Schema;
import org.apache.pulsar.client.api.SubscriptionInitialPosition;
import org.apache.pulsar.client.api.schema.GenericRecord;
import org.apache.pulsar.common.schema.KeyValue;
import org.apache.pulsar.common.schema.KeyValueEncodingType;

/** Prints, a line each, what the Java client finds in the topics that java_reads_test.ts has written, and writes some for the way back. */
public class ReadsWhatWeSend {
  public static class Order {
    public String item;
    public int count;
    public long at;
    public Double price;
  }

  private static PulsarClient client;
  private static String prefix;

  private static <T> Consumer<T> consumer(Schema<T> schema, String topic) throws Exception {
    return client.newConsumer(schema).topic(prefix + topic).subscriptionName("java")
        .subscriptionInitialPosition(SubscriptionInitialPosition.Earliest).subscribe();
  }

  private static <T> Message<T> next(Consumer<T> consumer) throws Exception {
    Message<T> message = consumer.receive(20, TimeUnit.SECONDS);
    if (message == null) throw new IllegalStateException("no message in " + consumer.getTopic());
    return message;
  }

  private static void bytes() throws Exception {
    Consumer<byte[]> consumer = consumer(Schema.BYTES, "bytes");
    for (int i = 0; i < 7; i++) {
      Message<byte[]> m = next(consumer);
      byte[] data = m.getData();
      String text = data == null ? "null" : data.length > 100 ? data.length + " bytes, " + Arrays.hashCode(data) : new String(data);
      String ordering = m.hasOrderingKey() ? new String(m.getOrderingKey()) : null;
      System.out.println(String.join(" ", text, "key=" + m.getKey(), "base64=" + m.hasBase64EncodedKey(), "ordering=" + ordering,
          "properties=" + m.getProperties(), "event=" + m.getEventTime(), "sequence=" + m.getSequenceId(), "producer=" + m.getProducerName()));
    }
  }

  private static void schemas() throws Exception {
    Order order = next(consumer(Schema.AVRO(Order.class), "avro")).getValue();
    System.out.println("avro " + order.item + " " + order.count + " " + order.at + " " + order.price);
    Consumer<GenericRecord> auto = client.newConsumer(Schema.AUTO_CONSUME()).topic(prefix + "avro").subscriptionName("auto")
        .subscriptionInitialPosition(SubscriptionInitialPosition.Earliest).subscribe();
    for (int i = 0; i < 2; i++) {
      GenericRecord record = next(auto).getValue();
      System.out.println("auto " + record.getField("item") + " of " + record.getFields().size());
    }
    Consumer<KeyValue<String, Order>> pairs =
        consumer(Schema.KeyValue(Schema.STRING, Schema.AVRO(Order.class), KeyValueEncodingType.SEPARATED), "pairs");
    for (int i = 0; i < 3; i++) {
      KeyValue<String, Order> pair = next(pairs).getValue();
      System.out.println("pair " + pair.getKey() + " " + (pair.getValue() == null ? null : pair.getValue().item));
    }
    System.out.println("instant " + next(consumer(Schema.INSTANT, "instant")).getValue());
    System.out.println("json " + next(consumer(Schema.JSON(Order.class), "json")).getValue().item);
  }

  private static void back() throws Exception {
    Producer<Order> orders = client.newProducer(Schema.AVRO(Order.class)).topic(prefix + "back-avro").create();
    Order order = new Order();
    order.item = "from Java";
    order.count = 3;
    orders.send(order);
    Producer<KeyValue<Long, String>> pairs =
        client.newProducer(Schema.KeyValue(Schema.INT64, Schema.STRING, KeyValueEncodingType.SEPARATED)).topic(prefix + "back-pairs").create();
    pairs.send(new KeyValue<>(7L, "seven"));
    pairs.send(new KeyValue<>(8L, null));
    byte[] large = new byte[12_000_000];
    for (int i = 0; i < large.length; i++) large[i] = (byte) (i * 31);
    client.newProducer().topic(prefix + "back-chunks").enableChunking(true).enableBatching(false).create().send(large);
  }

  public static void main(String[] args) {
    int code = 0;
    try {
      client = PulsarClient.builder().serviceUrl(args[0]).build();
      prefix = args[1];
      bytes();
      schemas();
      back();
    } catch (Exception error) {
      error.printStackTrace();
      code = 1;
    }
    // The client's threads would keep the process.
    System.exit(code);
  }
}
