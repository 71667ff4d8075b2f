/** What consumers, readers and table views do with a broker: the same tests against the embedded broker and, from tests/interop, a real Pulsar. */
import { connectPulsar, PulsarAdmin } from "../../../lib/pulsar/mod.ts";
import { acknowledgements } from "./acknowledgement_behaviours.ts";
import { consumers } from "./consumer_behaviours.ts";
import type { BrokerUnderTest } from "./consumer_scene.ts";
import { readers } from "./reader_behaviours.ts";
import { subscriptions } from "./subscription_behaviours.ts";

/** Registers the tests for one broker. */
export function consumerContract(name: string, brokerOf: () => Promise<BrokerUnderTest>): void {
  const behaviours = [acknowledgements, subscriptions, consumers, readers];
  for (const { name: behaviour, run } of behaviours.flatMap(({ all }) => all)) {
    Deno.test(`consumer × ${name}: ${behaviour}`, async () => {
      const broker = await brokerOf();
      const backoff = { initialMs: 20, maxMs: 200 };
      await using client = await connectPulsar({ serviceUrl: broker.serviceUrl, backoff });
      const admin = new PulsarAdmin({ adminUrl: broker.adminUrl });
      const topic = `persistent://public/default/t-${crypto.randomUUID().slice(0, 8)}`;
      await run({ client, admin, broker, topic });
    });
  }
}
