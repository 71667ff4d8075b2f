import assert from "node:assert/strict";
import { isGranted } from "../../../../lib/pulsar/broker/policies/permissions.ts";
import type { AuthPolicies } from "../../../../lib/pulsar/broker/policies/permissions.ts";

const TOPIC = "persistent://tb/n/t";

function granted(
  role: string,
  { pattern, topic = TOPIC, on }: {
    readonly pattern: string;
    readonly topic?: string;
    /** A grant for this topic alone; for the whole namespace where there is none. */
    readonly on?: string;
  },
): boolean {
  const grants = { [pattern]: ["produce"] } as const;
  const policies: AuthPolicies = {
    namespace_auth: on === undefined ? grants : {},
    destination_auth: on === undefined ? {} : { [on]: grants },
    subscription_auth_roles: {},
  };
  assert.equal(isGranted(policies, role, { action: "consume", topic }), false);
  return isGranted(policies, role, { action: "produce", topic });
}

Deno.test("isGranted() takes a star at either end of a role for any text, and nowhere else", () => {
  const cases: readonly (readonly [pattern: string, role: string, expected: boolean])[] = [
    ["app", "app", true],
    ["app", "app2", false],
    ["app*", "app2", true],
    ["app*", "my-app2", false],
    ["*-app", "my-app", true],
    ["*-app", "my-app-2", false],
    ["*", "anybody", true],
    ["a*b", "axb", false],
    ["a*b", "a*b", true],
  ];
  for (const [pattern, role, expected] of cases) {
    assert.equal(granted(role, { pattern }), expected, `${pattern} and ${role}`);
  }
});

Deno.test("isGranted() gives what was granted on a topic for that topic alone", () => {
  assert.equal(granted("me", { pattern: "me", on: TOPIC }), true);
  assert.equal(granted("me", { pattern: "me", on: TOPIC, topic: `${TOPIC}2` }), false);
  assert.equal(granted("you", { pattern: "me", on: TOPIC }), false);
});
