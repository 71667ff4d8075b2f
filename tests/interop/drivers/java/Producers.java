import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.pulsar.client.api.*;
import org.apache.pulsar.common.policies.data.BacklogQuota;

/** Producers: names, numbers, access, quota, transactions. */
class Producers extends Context {
    private Producers() {
        super(null, null);
    }

    static void producer_names(Context c) throws Exception {
        var first = c.producer().create().getProducerName();
        var second = c.producer().create().getProducerName();
        check(!first.isEmpty() && !first.equals(second), first + " and " + second);
    }

    static void producer_name_taken(Context c) throws Exception {
        var first = c.producer().producerName("one").create();
        c.note("error", refused(() -> c.producer().producerName("one").create()));
        first.close();
        c.producer().producerName("one").create().send(bytes("x"));
    }

    static void sequence_ids(Context c) throws Exception {
        var producer = c.producer().initialSequenceId(99).create();
        equal(producer.getLastSequenceId(), 99L);
        producer.send(bytes("x"));
        equal(producer.getLastSequenceId(), 100L);
    }

    static void deduplication(Context c) throws Exception {
        var namespace = c.namespace();
        c.admin().namespaces().setDeduplicationStatus(namespace, true);
        var topic = "persistent://" + namespace + "/topic";
        var consumer = c.consumer(topic).subscribe();
        var builder = c.producer().topic(topic).producerName("one").sendTimeout(0, TimeUnit.SECONDS);
        var producer = builder.create();
        eventually("deduplication is on",
            () -> "Enabled".equals(c.admin().topics().getStats(topic).getDeduplicationStatus()));
        for (var sequence : List.of(10, 11, 11, 10, 20)) {
            producer.newMessage().sequenceId(sequence).value(bytes("" + sequence)).send();
        }
        producer.close();
        var again = builder.create();
        equal(again.getLastSequenceId(), 20L);
        again.send(bytes("21"));
        equal(texts(take(consumer, 4)), List.of("10", "11", "20", "21"));
        silent(consumer);
    }

    static void access_exclusive(Context c) throws Exception {
        var first = c.producer().accessMode(ProducerAccessMode.Exclusive).create();
        c.note("shared beside it", refused(() -> c.producer().create()));
        c.note("exclusive beside it", refused(() -> c.producer().accessMode(ProducerAccessMode.Exclusive).create()));
        first.close();
        var shared = c.producer().create();
        c.note("exclusive beside a shared one",
            refused(() -> c.producer().accessMode(ProducerAccessMode.Exclusive).create()));
        shared.close();
    }

    static void access_wait_for_exclusive(Context c) throws Exception {
        var first = c.producer().accessMode(ProducerAccessMode.Exclusive).create();
        var waiting = c.producer().accessMode(ProducerAccessMode.WaitForExclusive).createAsync();
        try {
            waiting.get(500, TimeUnit.MILLISECONDS);
            throw new AssertionError("it did not wait");
        } catch (TimeoutException expected) {
            first.close();
        }
        waiting.get(WAIT_MS, TimeUnit.MILLISECONDS).send(bytes("mine"));
        c.note("beside it", refused(() -> c.producer().create()));
    }

    static void access_exclusive_with_fencing(Context c) throws Exception {
        var first = c.producer().accessMode(ProducerAccessMode.Exclusive).create();
        first.send(bytes("mine"));
        c.producer().accessMode(ProducerAccessMode.ExclusiveWithFencing).create().send(bytes("mine now"));
        c.note("error of the fenced one", refused(() -> first.send(bytes("fenced"))));
        var consumer = c.consumer().subscribe();
        equal(texts(take(consumer, 2)), List.of("mine", "mine now"));
        silent(consumer);
    }

    static void backlog_quota(Context c) throws Exception {
        var namespace = c.namespace();
        var topic = "persistent://" + namespace + "/topic";
        var consumer = c.consumer(topic).subscribe();
        var producer = c.producer().topic(topic).create();
        send(producer, numbered(30, "x".repeat(1_000)));
        producer.close();
        var policy = BacklogQuota.RetentionPolicy.producer_exception;
        c.admin().namespaces().setBacklogQuota(namespace,
            BacklogQuota.builder().limitSize(10_000).retentionPolicy(policy).build());
        var impatient = c.keep(c.clientBuilder().operationTimeout(3, TimeUnit.SECONDS).build());
        eventually("the quota is checked", () -> {
            try {
                impatient.newProducer().topic(topic).create().close();
                return false;
            } catch (PulsarClientException error) {
                c.note("error", error.getClass().getSimpleName());
                return true;
            }
        });
        equal(drain(consumer).size(), 30);
    }

    static void transactions(Context c) throws Exception {
        c.note("error", refused(() -> {
            var client = c.keep(c.clientBuilder().enableTransaction(true).operationTimeout(3, TimeUnit.SECONDS).build());
            try {
                client.newTransaction().build().get(WAIT_MS, TimeUnit.MILLISECONDS);
            } catch (java.util.concurrent.ExecutionException error) {
                throw PulsarClientException.unwrap(error);
            }
        }));
    }
}
