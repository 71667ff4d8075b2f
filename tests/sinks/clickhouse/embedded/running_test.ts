import assert from "node:assert/strict";
import { readKill } from "../../../../lib/sinks/clickhouse/embedded/running.ts";

Deno.test("readKill() reads KILL QUERY by id, and nothing else", () => {
  assert.deepEqual(readKill("KILL QUERY WHERE query_id = 'a-1' SYNC"), {
    queryId: "a-1",
    wait: true,
  });
  assert.deepEqual(readKill(" kill query\nwhere query_id='a:b_c.d' ; "), {
    queryId: "a:b_c.d",
    wait: false,
  });
  for (
    const sql of [
      "KILL QUERY WHERE query_id = 'a' OR 1",
      "KILL QUERY WHERE user = 'x'",
      "KILL QUERY WHERE query_id = 'a\\'b'",
      "SELECT 1",
    ]
  ) {
    assert.equal(readKill(sql), undefined, sql);
  }
});
