// Imported for its place on disk: the faces lie beside it, and only a package that is imported is fetched.
import "@expo-google-fonts/inter/package.json" with { type: "json" };
import { initWasm, Resvg } from "@resvg/resvg-wasm";

const FACES = [
  "@expo-google-fonts/inter/400Regular/Inter_400Regular.ttf",
  "@expo-google-fonts/inter/600SemiBold/Inter_600SemiBold.ttf",
];

let started: Promise<readonly Uint8Array[]> | undefined;

async function start(): Promise<readonly Uint8Array[]> {
  const wasm = await Deno.readFile(new URL(import.meta.resolve("@resvg/resvg-wasm/index_bg.wasm")));
  await initWasm(wasm);
  return await Promise.all(FACES.map((face) => Deno.readFile(new URL(import.meta.resolve(face)))));
}

/**
 * Draws an SVG with fixed colours as PNG. It brings its own font, so that it looks the same on a machine that has none.
 *
 * @param svg of `drawChart` in a light or dark theme
 * @param scale pixels for each unit of the SVG; 2 is sharp on a slide
 * @throws what reading the font throws; resvg's message when the SVG is not well-formed
 */
export async function pngOf(svg: string, scale = 2): Promise<Uint8Array> {
  const fonts = await (started ??= start());
  const image = new Resvg(svg, {
    fitTo: { mode: "zoom", value: scale },
    font: {
      fontBuffers: [...fonts],
      loadSystemFonts: false,
      defaultFontFamily: "Inter",
      sansSerifFamily: "Inter",
    },
  });
  try {
    return image.render().asPng();
  } finally {
    // Its memory is the module's, not the collector's.
    image.free();
  }
}
