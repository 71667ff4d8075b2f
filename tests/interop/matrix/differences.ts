/** What differs, for a person who mends it. */
import { BEHAVIOURS } from "./behaviours.ts";
import type { Difference } from "./result.ts";

/** A list by scenario; one sentence when there is none. */
export function renderDifferences(differences: readonly Difference[]): string {
  if (differences.length === 0) return "No differences\n";
  const byScenario = Map.groupBy(differences, ({ scenario }) => scenario);
  const parts = BEHAVIOURS.flatMap(({ id, shows }) => {
    const found = byScenario.get(id);
    if (found === undefined) return [];
    return [
      `## ${id}: ${shows}\n`,
      ...found.map(({ client, broker, expected, got }) =>
        `- ${client} × ${broker}\n  - expected: ${expected}\n  - got: ${got}\n`
      ),
    ];
  });
  return `# ${differences.length} differences\n\n${parts.join("\n")}`;
}
