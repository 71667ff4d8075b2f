/** What a cell must show when a notebook has run. */
export interface Expectation {
  /** Text that only this cell's code holds. */
  readonly source: string;
  readonly mimeType: string;
  readonly matches: RegExp;
}

/** By notebook. */
export const EXPECTATIONS: Readonly<Record<string, readonly Expectation[]>> = {
  "01_bench50k.ipynb": [
    { source: "run.chart()", mimeType: "image/svg+xml", matches: /<path[^>]+d="M/ },
    // A machine that is too busy makes it VOID, which says nothing against the notebook; a fault in the data would make it FAIL.
    { source: "run.verdict()", mimeType: "text/html", matches: />(PASS|VOID)</ },
    { source: "run.verdict()", mimeType: "text/html", matches: />0 \/ 0</ },
    { source: "run.query(", mimeType: "text/html", matches: /<td[^>]*>sensor-\d+/ },
  ],
  "02_one_message.ipynb": [
    { source: "One frame", mimeType: "text/html", matches: /data-field="CRC-32C/ },
    { source: "bytes of protocol", mimeType: "text/plain", matches: /^\d+ message of \d+ bytes/ },
    { source: "The message in it", mimeType: "text/html", matches: /data-field="temperature_c"/ },
    { source: "as JSON text", mimeType: "text/plain", matches: /^25 fields in \d+ bytes/ },
    { source: "The row of", mimeType: "text/html", matches: /data-field="identity_sum"/ },
    // A double is written alike by both, an instant is not.
    { source: "weir.tableOf(compared)", mimeType: "text/html", matches: /event_timestamp.+>no</s },
    { source: "message_count", mimeType: "text/plain", matches: /same in message and row: \w+/ },
    { source: "run.verdict()", mimeType: "text/html", matches: />(PASS|VOID)</ },
  ],
  "03_open_and_closed_loop.ipynb": [
    { source: "open.chart(", mimeType: "image/svg+xml", matches: /<path[^>]+d="M/ },
    { source: "closed.chart(", mimeType: "image/svg+xml", matches: /<path[^>]+d="M/ },
    { source: "open.verdict()", mimeType: "text/html", matches: />(PASS|VOID)</ },
    { source: "closed.verdict()", mimeType: "text/html", matches: />closed</ },
    { source: "weir.histogramOf(", mimeType: "image/svg+xml", matches: /closed loop<\/text>/ },
    { source: "weir.percentilesOf(", mimeType: "image/svg+xml", matches: /<path[^>]+d="M/ },
    { source: "const figures", mimeType: "text/html", matches: /<td[^>]*>open loop</ },
    // Thousands were due while the broker stood still, however fast the machine is.
    {
      source: "const [waited",
      mimeType: "text/plain",
      matches: /^7000 messages .+ open loop \d{4,} messages waited more than half a second, in the/,
    },
  ],
  "04_event_time.ipynb": [
    { source: "watchEventTimes", mimeType: "image/svg+xml", matches: /watermarks<\/text>/ },
    // Dots of all three kinds: late ones were planted.
    {
      source: "watchEventTimes",
      mimeType: "image/svg+xml",
      matches: /fill="#b3141d" fill-opacity/,
    },
    {
      source: "times.counts()",
      mimeType: "text/plain",
      matches: /^\d{4,} messages: \d+\.\d % out/,
    },
    { source: "run.verdict()", mimeType: "text/html", matches: />(PASS|VOID)</ },
    { source: "run.verdict()", mimeType: "text/plain", matches: /late messages.+the same\.$/ },
    { source: "trials.map", mimeType: "text/html", matches: /s of event time/ },
    { source: "patient", mimeType: "text/plain", matches: /loses \d{3,} of \d+ messages/ },
    { source: "rowDelays(run)", mimeType: "text/html", matches: /<td[^>]*>3<[^]+ s</ },
    { source: "idleAfter: ", mimeType: "image/svg+xml", matches: /with idleAfter<\/text>/ },
    { source: "quiet.messages", mimeType: "text/plain", matches: /^Partition \d had \d+ messages/ },
    { source: "cured.verdict()", mimeType: "text/html", matches: />(PASS|VOID)</ },
  ],
  "05_exactly_once.ipynb": [
    {
      source: "run.watch(",
      mimeType: "image/svg+xml",
      matches: /aggregate-1 killed<\/text>/,
    },
    { source: "run.verdict()", mimeType: "text/html", matches: />(PASS|VOID)</ },
    { source: "run.verdict()", mimeType: "text/html", matches: />0 \/ 0</ },
    { source: "safe.deaths.map", mimeType: "text/html", matches: /<td[^>]*>aggregate-1</ },
    { source: "safe.batches.map", mimeType: "text/html", matches: />yes, not inserted again</ },
    {
      source: "const kept",
      mimeType: "text/plain",
      matches: /^\d+ messages were read a second time/,
    },
    { source: "const books", mimeType: "text/html", matches: /<td[^>]*>0<\/td><\/tr>/ },
    {
      source: "const excess",
      mimeType: "text/plain",
      matches: /differ by 0 messages.+0 lost, 0 doub/,
    },
    // The damage is planted: whatever the machine does, it is found.
    {
      source: "naked.verdict()",
      mimeType: "text/html",
      matches: />FAIL<[^]+switched off: no-token/,
    },
    { source: "const doubled", mimeType: "text/html", matches: /<td[^>]*>[^<]+:\d+:\d+:\d+</ },
    { source: "const damage", mimeType: "text/plain", matches: /^FAIL: [1-9].+ is doubled/ },
  ],
  "06_batching.ipynb": [
    { source: "const sends", mimeType: "text/plain", matches: /^1,000 or 10 ms: / },
    { source: "const waits", mimeType: "image/svg+xml", matches: /<path[^>]+d="M/ },
    { source: "const works", mimeType: "image/svg+xml", matches: /<path[^>]+d="M/ },
    {
      source: "const [single",
      mimeType: "text/plain",
      matches: /^From batches of one to batches of 1,000, CPU a message goes from \d+ to \d+ µs/,
    },
    { source: "const inserts", mimeType: "image/svg+xml", matches: /<path[^>]+d="M/ },
    { source: "const [small", mimeType: "text/plain", matches: /^A row that came in one of \d+/ },
  ],
  "07_two_runs_compared.ipynb": [
    // Where a run is VOID it measured nothing, and there may be nothing to compare.
    {
      source: "weir.compare(pairs",
      mimeType: "text/html",
      matches: /Nothing is called better or worse: that takes at least 5 runs on each side/,
    },
    { source: "const repeats", mimeType: "image/svg+xml", matches: /<path[^>]+d="M/ },
    {
      source: "const spread",
      mimeType: "text/plain",
      matches: /differs by a factor of up to [1-9]/,
    },
    {
      source: "weir.comparison(",
      mimeType: "text/plain",
      matches: /^With a delay of 50 ms in place of 5 ms, better: /,
    },
    {
      source: "weir.compare(befores",
      mimeType: "text/html",
      matches: /\d runs? before, \d after; medians/,
    },
  ],
  // Green with and without a Pulsar beside it.
  "08_brokers.ipynb": [
    {
      source: "weir.findPulsar()",
      mimeType: "text/plain",
      matches: /^(Apache Pulsar .* answers at|No Pulsar answers at|What answers at) /,
    },
    { source: "run.chart(", mimeType: "image/svg+xml", matches: /<path[^>]+d="M/ },
    { source: "const summary", mimeType: "text/html", matches: />embedded broker/ },
    { source: "const waits", mimeType: "image/svg+xml", matches: /<path[^>]+d="M/ },
    {
      source: "const [embedded, real]",
      mimeType: "text/plain",
      matches: /^(Nothing was lost or doubled on|Only the embedded broker was measured)/,
    },
    {
      source: "weir.findNativeClient()",
      mimeType: "text/plain",
      matches: /^(npm:pulsar-client .* is installed|Cannot use npm:pulsar-client)/,
    },
  ],
  "09_auditing_a_claim.ipynb": [
    {
      source: "findings.map(({ claim",
      mimeType: "text/html",
      matches: /a factor of 60; seconds taken for minutes\?/,
    },
    { source: "findings.map(({ claim", mimeType: "text/html", matches: />wrong unit</ },
    {
      source: "const wrong",
      mimeType: "text/plain",
      matches: /^7 of 8 claims cannot be true as they stand: A, press release;/,
    },
    { source: "run.verdict()", mimeType: "text/html", matches: />(PASS|VOID)</ },
    { source: "weir.claimOf", mimeType: "text/html", matches: />holds</ },
    { source: "weir.concludeAudit", mimeType: "text/plain", matches: /relations/ },
  ],
  "99_blank.ipynb": [
    { source: "run.chart()", mimeType: "image/svg+xml", matches: /<path[^>]+d="M/ },
    { source: "run.verdict()", mimeType: "text/html", matches: />(PASS|VOID)</ },
    {
      source: "run.result()",
      mimeType: "text/plain",
      matches: /87500 messages, 0 were lost and 0 doubled/,
    },
    { source: "run.query(", mimeType: "text/html", matches: /<td[^>]*>sensor-\d+/ },
  ],
};
