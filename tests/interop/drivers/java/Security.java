import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.pulsar.client.api.*;
import org.apache.pulsar.common.policies.data.AuthAction;

/** Tokens, rights, TLS. */
class Security extends Context {
    private Security() {
        super(null, null);
    }

    private static PulsarClient as(Context c, String token) throws Exception {
        var builder = PulsarClient.builder().serviceUrl(c.text("serviceUrl")).operationTimeout(10, TimeUnit.SECONDS)
            .lookupTimeout(10, TimeUnit.SECONDS);
        if (token != null) builder.authentication(AuthenticationFactory.token(token));
        return c.keep(builder.build());
    }

    private static Object refusedProducer(PulsarClient client, String topic) throws Exception {
        return refused(() -> client.newProducer().topic(topic).create());
    }

    static void token(Context c) throws Exception {
        var consumer = c.consumer().subscribe();
        c.producer().create().send(bytes("x"));
        equal(text(receive(consumer)), "x");
    }

    static void wrong_token(Context c) throws Exception {
        c.note("forged", refusedProducer(as(c, c.text("forgedToken")), c.topic()));
        c.note("none", refusedProducer(as(c, null), c.topic()));
        c.note("admin, forged", c.http("GET", "/admin/v2/namespaces/public", c.text("forgedToken")).statusCode());
    }

    static void rights(Context c) throws Exception {
        var namespace = c.namespace();
        var topic = "persistent://" + namespace + "/topic";
        c.admin().namespaces().grantPermissionOnNamespace(namespace, "producer", Set.of(AuthAction.produce));
        c.admin().namespaces().grantPermissionOnNamespace(namespace, "consumer", Set.of(AuthAction.consume));
        var producing = as(c, c.token("producer"));
        var consuming = as(c, c.token("consumer"));
        var consumer = consuming.newConsumer().topic(topic).subscriptionName("sub").subscribe();
        producing.newProducer().topic(topic).create().send(bytes("x"));
        equal(text(receive(consumer)), "x");
        c.note("consuming producer",
            refused(() -> producing.newConsumer().topic(topic).subscriptionName("other").subscribe()));
        c.note("producing consumer", refusedProducer(consuming, topic));
        c.note("nobody", refusedProducer(as(c, c.token("nobody")), topic));
        c.note("admin", c.http("DELETE", "/admin/v2/namespaces/" + namespace, c.token("producer")).statusCode());
    }

    private static PulsarClient overTls(Context c, String url, String caFile, int timeoutSec) throws Exception {
        return c.keep(c.clientBuilder().serviceUrl(url).tlsTrustCertsFilePath(c.text(caFile))
            .enableTlsHostnameVerification(true).operationTimeout(timeoutSec, TimeUnit.SECONDS)
            .lookupTimeout(timeoutSec, TimeUnit.SECONDS).build());
    }

    static void tls(Context c) throws Exception {
        var client = overTls(c, c.text("tlsUrl"), "caFile", 15);
        var consumer = client.newConsumer().topic(c.topic()).subscriptionName("sub").subscribe();
        client.newProducer().topic(c.topic()).create().send(bytes("x"));
        equal(text(receive(consumer)), "x");
    }

    static void tls_refused(Context c) throws Exception {
        c.note("unknown authority", refusedProducer(overTls(c, c.text("tlsUrl"), "otherCaFile", 3), c.topic()));
        // The certificate is for localhost and 127.0.0.1.
        var other = c.text("tlsUrl").replace("127.0.0.1", "127.0.0.2").replace("localhost", "127.0.0.2");
        c.note("another host", refusedProducer(overTls(c, other, "caFile", 3), c.topic()));
    }
}
