import process from "node:process";

/** What the server has done since it started. */
export interface Counters {
  queries: number;
  inserts: number;
  insertedRows: number;
  insertedBytes: number;
  failed: number;
  sentBytes: number;
}

function sample(name: string, kind: "counter" | "gauge", value: number, help: string): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n${name} ${value}\n`;
}

/** The counters and this process's use of the machine as Prometheus reads them (text format 0.0.4). */
export function metricsText(counters: Counters, running: number): string {
  const cpu = process.cpuUsage();
  return [
    sample("process_cpu_seconds_total", "counter", (cpu.user + cpu.system) / 1e6, "CPU time used"),
    sample("process_resident_memory_bytes", "gauge", Deno.memoryUsage().rss, "Resident memory"),
    sample(
      "weir_clickhouse_queries_total",
      "counter",
      counters.queries,
      "Queries other than inserts of data",
    ),
    sample("weir_clickhouse_inserts_total", "counter", counters.inserts, "Inserts of data"),
    sample("weir_clickhouse_inserted_rows_total", "counter", counters.insertedRows, "Rows stored"),
    sample(
      "weir_clickhouse_inserted_bytes_total",
      "counter",
      counters.insertedBytes,
      "Bytes of rows received",
    ),
    sample(
      "weir_clickhouse_failed_total",
      "counter",
      counters.failed,
      "Requests answered with an error",
    ),
    sample("weir_clickhouse_running", "gauge", running, "Queries under way"),
  ].join("");
}
