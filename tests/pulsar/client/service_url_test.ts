import assert from "node:assert/strict";
import { formatAddress, parseServiceUrl } from "../../../lib/pulsar/client/service_url.ts";

Deno.test("parseServiceUrl() reads hosts, ports and TLS", () => {
  for (
    const [url, expected] of [
      ["pulsar://host", ["pulsar://host:6650"]],
      ["pulsar+ssl://host", ["pulsar+ssl://host:6651"]],
      ["pulsar://a:1,b:2/", ["pulsar://a:1", "pulsar://b:2"]],
      ["pulsar://[::1]:6650", ["pulsar://[::1]:6650"]],
    ] as const
  ) {
    assert.deepEqual(parseServiceUrl(url).addresses.map(formatAddress), expected);
  }
});

Deno.test("parseServiceUrl() refuses what is no service URL", () => {
  for (
    const url of ["", "host:6650", "http://host", "pulsar://", "pulsar://h:0", "pulsar://h:99999"]
  ) {
    assert.throws(() => parseServiceUrl(url), { code: "invalid_service_url" }, url);
  }
});
