/**
 * Puts drawings under one another into one picture.
 *
 * @param svgs as charts draw them, each with ids of its own and its size in pixels
 */
export function stackSvgs(svgs: readonly string[]): string {
  let heightPx = 0;
  let widthPx = 0;
  const placed = svgs.map((svg) => {
    const size = /^<svg [^>]*?width="(\d+)" height="(\d+)"/.exec(svg);
    if (size === null) throw new RangeError("Cannot stack: a drawing does not say its size");
    const part = svg.replace("<svg ", `<svg y="${heightPx}" `);
    heightPx += Number(size[2]);
    widthPx = Math.max(widthPx, Number(size[1]));
    return part;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${widthPx}" height="${heightPx}" ` +
    `viewBox="0 0 ${widthPx} ${heightPx}">${placed.join("\n")}</svg>`;
}
