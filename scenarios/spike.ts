import { atMost, below, type Scenario } from "weir";

/** A load that triples for ten seconds: does the backlog go away again, and what did the windows notice? */
export const scenario: Scenario = {
  name: "spike",
  stages: [
    { ramp: [0, 20_000], for: "10s" },
    { constant: 20_000, for: "20s" },
    { spike: 60_000, from: 20_000, for: "10s" },
    { constant: 20_000, for: "20s" },
  ],
  timeScale: 60,
  warmUp: "10s",
  thresholds: [
    "p99 of windowVisible below 2 s, after warm-up",
    below("publish.p99", "250ms"),
    atMost("messages.late", 0),
  ],
};
