import { below, type Scenario } from "weir";

/** Each part dies once, the aggregator at its worst moment, and one stands still: is anything lost or doubled? */
export const scenario: Scenario = {
  name: "every-part-dies",
  rate: 10_000,
  duration: "50s",
  timeScale: 60,
  faults: [
    { at: "5s", kill: "produce" },
    { at: "15s", kill: "aggregate", when: "after-insert" },
    { at: "25s", kill: "broker" },
    { at: "35s", kill: "clickhouse" },
    { at: "42s", freeze: "broker", for: "1.4s" },
    { at: "46s", cut: "broker" },
  ],
  thresholds: [below("delivery.max", "30s")],
};
