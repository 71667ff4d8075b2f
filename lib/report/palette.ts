/**
 * Colours by meaning. One role has one colour in every chart; light and dark values are picked for a contrast of at
 * least 4.5 against their background and stay apart for red-green colour blindness (after Okabe and Ito 2008).
 */
export const PALETTE = {
  produce: { light: "#0067ac", dark: "#62b6f7" },
  broker: { light: "#9c3587", dark: "#e893d2" },
  aggregate: { light: "#b84a00", dark: "#ff9d5c" },
  clickhouse: { light: "#00734f", dark: "#3ecf9b" },
  runner: { light: "#5d6673", dark: "#a6b0bf" },
  ink: { light: "#1b2430", dark: "#e8edf3" },
  muted: { light: "#515c6b", dark: "#a9b4c2" },
  line: { light: "#d5dbe3", dark: "#364150" },
  surface: { light: "#ffffff", dark: "#161c24" },
  page: { light: "#f3f5f8", dark: "#0e131a" },
  fault: { light: "#b3141d", dark: "#ff8f8a" },
  pass: { light: "#0b6b32", dark: "#5fd38a" },
  fail: { light: "#b3141d", dark: "#ff8f8a" },
  void: { light: "#7a5200", dark: "#f0bf4c" },
} as const;

/** What a colour stands for. */
export type Tone = keyof typeof PALETTE;

/**
 * How a picture gets its colours: fixed ones for a file of its own, or the variables of the page that holds it, so
 * that it follows the reader's theme.
 */
export type Theme = "light" | "dark" | "page";

/**
 * A tone as CSS; charts are drawn with these, and {@link withTheme} turns them into colours.
 *
 * @param part what is drawn with it, e.g. `s0` for the first series: the only thing that ECharts hands through from an
 * option to its SVG is a colour, so the name of a part travels in it, and ends as `data-part` in a page
 */
export function tone(name: Tone, part?: string): string {
  return part === undefined ? `var(--weir-${name})` : `var(--weir-${name}|${part})`;
}

const PARTED = /var\(--weir-([a-z]+)\|([a-z]+\d*)\)/;
const PARTED_TAG = new RegExp(`<[^<>]*${PARTED.source}[^<>]*>`, "g");

/** Moves the part out of the colours of an element into an attribute. */
function withPart(tag: string): string {
  const [, , part] = PARTED.exec(tag)!;
  const plain = tag.replaceAll(new RegExp(PARTED, "g"), "var(--weir-$1)");
  return plain.replace(/\/?>$/, (end) => ` data-part="${part}"${end}`);
}

/** Replaces the variables of {@link tone} by colours; leaves them, and the names of parts, for a page. */
export function withTheme(svg: string, theme: Theme): string {
  if (theme === "page") return svg.replaceAll(PARTED_TAG, withPart);
  return svg.replaceAll(
    /var\(--weir-([a-z]+)(?:\|[a-z]+\d*)?\)/g,
    (variable, name: string) => name in PALETTE ? PALETTE[name as Tone][theme] : variable,
  );
}

/** The variables of {@link tone} as CSS declarations. */
export function paletteCss(theme: "light" | "dark"): string {
  return Object.entries(PALETTE).map(([name, colors]) => `--weir-${name}:${colors[theme]}`).join(
    ";",
  );
}

const ROLE_TONES: readonly Tone[] = ["produce", "broker", "aggregate", "clickhouse", "runner"];

/** The tone of a role; those that the palette does not know look like the runner. */
export function toneOfRole(role: string): Tone {
  return ROLE_TONES.find((name) => name === role) ?? "runner";
}

/** Roles in the order of the data's path, unknown ones last. */
export function rolesInOrder(roles: readonly string[]): string[] {
  const rank = (role: string) => {
    const index = ROLE_TONES.findIndex((name) => name === role);
    return index < 0 ? ROLE_TONES.length : index;
  };
  return roles.toSorted((a, b) => rank(a) - rank(b) || a.localeCompare(b));
}
