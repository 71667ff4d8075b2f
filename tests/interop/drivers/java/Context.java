import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.pulsar.client.admin.PulsarAdmin;
import org.apache.pulsar.client.admin.PulsarAdminException;
import org.apache.pulsar.client.api.*;

/** What a scenario is given: clients, topics, the admin interface, and ways to say what it saw. */
class Context {
    /** Long enough on a busy machine, and only waited for when something is wrong. */
    static final int WAIT_MS = 10_000;
    /** Nothing may come in this time. */
    static final int SILENCE_MS = 400;
    static final HttpClient HTTP = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    /** What may fail in a scenario. */
    interface Action {
        void run() throws Exception;
    }

    /** What is waited for. */
    interface Condition {
        boolean holds() throws Exception;
    }

    final JsonObject config;
    final String scenario;
    final Map<String, Object> notes = new ConcurrentHashMap<>();
    private final List<PulsarClient> clients = new ArrayList<>();
    private PulsarClient client;
    private PulsarAdmin admin;

    Context(JsonObject config, String scenario) {
        this.config = config;
        this.scenario = scenario;
    }

    String text(String key) {
        return config.get(key).getAsString();
    }

    String token(String role) {
        return config.get("tokens").getAsJsonObject().get(role).getAsString();
    }

    /** Something seen that must be the same with every broker. */
    void note(String what, Object seen) {
        notes.put(what, seen);
    }

    void end() {
        for (var one : clients) one.closeAsync();
        if (admin != null) admin.close();
    }

    ClientBuilder clientBuilder() {
        var builder = PulsarClient.builder().serviceUrl(text("serviceUrl")).operationTimeout(15, TimeUnit.SECONDS)
            .ioThreads(1).listenerThreads(1);
        return config.has("token") ? builder.authentication(AuthenticationFactory.token(text("token"))) : builder;
    }

    synchronized PulsarClient keep(PulsarClient opened) {
        clients.add(opened);
        return opened;
    }

    synchronized PulsarClient client() throws Exception {
        if (client == null) client = keep(clientBuilder().build());
        return client;
    }

    synchronized PulsarAdmin admin() throws Exception {
        if (admin == null) {
            var builder = PulsarAdmin.builder().serviceHttpUrl(text("adminUrl")).requestTimeout(15, TimeUnit.SECONDS);
            if (config.has("token")) builder.authentication(AuthenticationFactory.token(text("token")));
            admin = builder.build();
        }
        return admin;
    }

    String name(String suffix) {
        return "java-" + scenario + "-" + text("runId") + suffix;
    }

    String topic(String suffix) {
        return "persistent://public/default/" + name(suffix);
    }

    String topic() {
        return topic("");
    }

    /** A namespace of the scenario's own. */
    String namespace() throws Exception {
        var namespace = "public/" + name("");
        admin().namespaces().createNamespace(namespace, java.util.Set.of("standalone"));
        return namespace;
    }

    HttpResponse<String> http(String method, String path, String token) throws Exception {
        var request = HttpRequest.newBuilder(URI.create(text("adminUrl") + path)).timeout(Duration.ofSeconds(20))
            .header("content-type", "application/json").method(method, HttpRequest.BodyPublishers.noBody());
        if (token != null) request.header("authorization", "Bearer " + token);
        return HTTP.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    JsonElement get(String path) throws Exception {
        var response = http("GET", path, config.has("token") ? text("token") : null);
        check(response.statusCode() < 300, path + ": " + response.statusCode() + " " + response.body());
        return JsonParser.parseString(response.body());
    }

    /** Asks the harness to do something to the broker. */
    void control(String action) throws Exception {
        var request = HttpRequest.newBuilder(URI.create(text("controlUrl") + "/" + action))
            .method("POST", HttpRequest.BodyPublishers.noBody()).build();
        equal(HTTP.send(request, HttpResponse.BodyHandlers.ofString()).statusCode(), 200);
    }

    void partitioned(int count) throws Exception {
        admin().topics().createPartitionedTopic(topic(), count);
    }

    ProducerBuilder<byte[]> producer() throws Exception {
        return client().newProducer().topic(topic()).enableBatching(false);
    }

    /** Batches that go out when they are full, or by flush(). */
    ProducerBuilder<byte[]> batching() throws Exception {
        return client().newProducer().topic(topic()).enableBatching(true).batchingMaxMessages(10)
            .batchingMaxPublishDelay(1, TimeUnit.MINUTES);
    }

    ConsumerBuilder<byte[]> consumer(String topic) throws Exception {
        return client().newConsumer().topic(topic).subscriptionName("sub")
            .subscriptionInitialPosition(SubscriptionInitialPosition.Earliest);
    }

    ConsumerBuilder<byte[]> consumer() throws Exception {
        return consumer(topic());
    }

    ConsumerBuilder<byte[]> shared(String topic) throws Exception {
        return consumer(topic).subscriptionType(SubscriptionType.Shared);
    }

    ConsumerBuilder<byte[]> shared() throws Exception {
        return shared(topic());
    }

    ReaderBuilder<byte[]> reader() throws Exception {
        return client().newReader().topic(topic()).startMessageId(MessageId.earliest);
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    static String text(Message<?> message) {
        return new String(message.getData(), StandardCharsets.UTF_8);
    }

    static List<String> texts(List<? extends Message<?>> messages) {
        return messages.stream().map(Context::text).toList();
    }

    static List<String> numbered(int count, String prefix) {
        return IntStream.range(0, count).mapToObj(i -> prefix + " " + i).toList();
    }

    static List<String> numbered(int count) {
        return numbered(count, "message");
    }

    /** Sends one by one; gives the ids of the receipts. */
    static List<MessageId> send(Producer<byte[]> producer, List<String> texts) throws Exception {
        var ids = new ArrayList<MessageId>();
        for (var text : texts) ids.add(producer.send(bytes(text)));
        return ids;
    }

    /** Sends without waiting between, then flushes. */
    static void sendAll(Producer<byte[]> producer, List<String> texts) throws Exception {
        var sent = new ArrayList<CompletableFuture<MessageId>>();
        for (var text : texts) sent.add(producer.sendAsync(bytes(text)));
        producer.flush();
        for (var one : sent) one.get(WAIT_MS, TimeUnit.MILLISECONDS);
    }

    static <T> Message<T> receive(Consumer<T> consumer) throws Exception {
        var message = consumer.receive(WAIT_MS, TimeUnit.MILLISECONDS);
        check(message != null, "no message came");
        return message;
    }

    static <T> List<Message<T>> take(Consumer<T> consumer, int count) throws Exception {
        var messages = new ArrayList<Message<T>>();
        while (messages.size() < count) messages.add(receive(consumer));
        return messages;
    }

    static String next(Reader<byte[]> reader) throws Exception {
        var message = reader.readNext(WAIT_MS, TimeUnit.MILLISECONDS);
        check(message != null, "no message came");
        return text(message);
    }

    static void silent(Consumer<?> consumer) throws Exception {
        var message = consumer.receive(SILENCE_MS, TimeUnit.MILLISECONDS);
        check(message == null, "nothing more was expected, a message came");
    }

    /** Takes and acknowledges until nothing comes any more. */
    static List<Message<byte[]>> drain(Consumer<byte[]> consumer, int quietMs) throws Exception {
        var messages = new ArrayList<Message<byte[]>>();
        for (;;) {
            var message = consumer.receive(quietMs, TimeUnit.MILLISECONDS);
            if (message == null) return messages;
            messages.add(message);
            consumer.acknowledge(message);
        }
    }

    static List<Message<byte[]>> drain(Consumer<byte[]> consumer) throws Exception {
        return drain(consumer, SILENCE_MS);
    }

    static void check(boolean condition, String what) {
        if (!condition) throw new AssertionError(what);
    }

    static void equal(Object seen, Object expected) {
        if (!expected.equals(seen)) {
            var words = "expected " + expected + ", saw " + seen;
            throw new AssertionError(words.substring(0, Math.min(words.length(), 600)));
        }
    }

    /** The name of the error that there must be; of the admin interface its HTTP status. */
    static Object refused(Action action) throws Exception {
        try {
            action.run();
        } catch (PulsarAdminException error) {
            return error.getStatusCode();
        } catch (PulsarClientException error) {
            return error.getClass().getSimpleName();
        }
        throw new AssertionError("it was accepted, and must be refused");
    }

    static void eventually(String what, Condition condition) throws Exception {
        var until = System.nanoTime() + WAIT_MS * 1_000_000L;
        while (!condition.holds()) {
            check(System.nanoTime() < until, "not in time: " + what);
            Thread.sleep(50);
        }
    }
}
