import assert from "node:assert/strict";
import {
  CLICKHOUSE_ERRORS,
  type ClickHouseErrorName,
  engineError,
  queryError,
  statusOf,
} from "../../../../lib/sinks/clickhouse/embedded/errors.ts";

Deno.test("queryError() writes each error as ClickHouse does", () => {
  for (const name of Object.keys(CLICKHOUSE_ERRORS) as ClickHouseErrorName[]) {
    const error = queryError(name, "Something");
    assert.equal(error.text, `Code: ${error.code}. DB::Exception: Something. (${name})`);
    assert.ok(statusOf(error.code) >= 400);
  }
});

Deno.test("engineError() reads the engine's code, once where it is said twice", () => {
  const error = engineError(
    new Error(
      "Code: 452. DB::Exception: Code: 452. DB::Exception: Too much. (A) (version 1). (A)\n",
    ),
  );
  assert.equal(error.code, 452);
  assert.equal(error.text, "Code: 452. DB::Exception: Too much. (A) (version 1). (A)");
});

Deno.test("engineError() names what is no error of ClickHouse unknown, and access to files denied", () => {
  assert.deepEqual([engineError("odd").code, engineError(new Error("odd")).text], [
    1002,
    "Code: 1002. DB::Exception: odd. (UNKNOWN_EXCEPTION)",
  ]);
  assert.equal(
    engineError(
      new Error("Code: 1001. filesystem error: in current_path: call to getcwd failed: x"),
    ).code,
    497,
  );
});

Deno.test("statusOf() follows ClickHouse's table", () => {
  const cases = [[60, 404], [62, 400], [516, 403], [202, 503], [241, 500], [48, 501]] as const;
  for (const [code, status] of cases) assert.equal(statusOf(code), status);
});
