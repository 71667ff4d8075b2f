import { counterIncrease, METRIC, roleOf, type Sample } from "../metrics/mod.ts";
import { type Role, ROLES } from "./protocol.ts";

/** What the processes of a run took, by role; null for a system that weir did not start. */
export interface ResourceUse {
  readonly cpuSeconds: Readonly<Record<Role, number | null>>;
  readonly rssBytesMax: Readonly<Record<Role, number | null>>;
}

/**
 * CPU and memory of each role from the first sample to the last: start-up before the first is left out. A process that was started again counts
 * from its own zero, and what its predecessor used after its last sample is not known.
 *
 * @param samples in order of time
 */
export function resourceUse(samples: readonly Sample[]): ResourceUse {
  const cpuSeconds = Object.fromEntries(ROLES.map((role) => [role, null])) as Record<
    Role,
    number | null
  >;
  const rssBytesMax = { ...cpuSeconds };
  const lastCpu = new Map<string, number>();
  for (const { roles } of samples) {
    const rssOf = new Map<Role, number>();
    for (const [instance, { values }] of Object.entries(roles)) {
      const role = roleOf(instance) as Role;
      const cpu = values[METRIC.processCpu];
      const grown = counterIncrease(lastCpu.get(instance), cpu);
      if (cpu !== undefined) {
        lastCpu.set(instance, cpu);
        cpuSeconds[role] = (cpuSeconds[role] ?? 0) + (grown ?? 0);
      }
      const rss = values[METRIC.processRss];
      if (rss !== undefined) rssOf.set(role, (rssOf.get(role) ?? 0) + rss);
    }
    for (const [role, rss] of rssOf) rssBytesMax[role] = Math.max(rssBytesMax[role] ?? 0, rss);
  }
  return { cpuSeconds, rssBytesMax };
}
