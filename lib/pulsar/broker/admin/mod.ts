/** Pulsar's admin interface over HTTP, statistics and metrics. */
export type { ProcessFigures } from "./metrics_text.ts";
export { serveAdmin } from "./server.ts";
