/** Something that happened at an instant of a run, drawn as a vertical line on each chart over time. */
export interface Mark {
  readonly atSec: number;
  /** When it was over, e.g. a role had recovered: the stretch between is shaded. */
  readonly untilSec?: number;
  readonly label: string;
  readonly kind: "fault" | "note";
}

/** A mark whose label has a place. */
export interface PlacedMark {
  readonly mark: Mark;
  /** What stands on the chart: long ones are cut, as the report lists the marks in full. */
  readonly label: string;
  /** Row of the label above the plot, 0 is nearest to it; undefined where there is no room for a label. */
  readonly lane: number | undefined;
  /** Which end of the text stands at the line. */
  readonly align: "left" | "right";
}

const LABEL_CHARACTER_WIDTH_PX = 6.4;
const LABEL_GAP_PX = 10;
/** Rows of labels, at most. */
export const LANES_MAX = 3;
const LABEL_CHARACTERS_MAX = 36;

/** Width of a label at 12 px; measured on the wide side, as fonts differ. */
export function labelWidthPx(text: string): number {
  return text.length * LABEL_CHARACTER_WIDTH_PX;
}

/**
 * Places labels above a plot so that none overlaps another or runs out of the picture.
 *
 * Each takes the lowest row where it is free, in order of time. A label that fits in none of three rows is left out
 * (its line stays), as the report lists the marks beside.
 *
 * @param marks in any order
 * @param spanSec length of the axis, from 0
 * @param widthPx width of the plot
 */
export function placeMarks(
  marks: readonly Mark[],
  spanSec: number,
  widthPx: number,
): PlacedMark[] {
  const laneEndsPx: number[] = [];
  return marks.toSorted((a, b) => a.atSec - b.atSec).map((mark) => {
    const atPx = (mark.atSec / Math.max(spanSec, 1e-9)) * widthPx;
    const label = mark.label.length <= LABEL_CHARACTERS_MAX
      ? mark.label
      : `${mark.label.slice(0, LABEL_CHARACTERS_MAX - 1).trimEnd()}…`;
    const labelPx = labelWidthPx(label);
    const align = atPx + labelPx > widthPx ? "right" : "left";
    const fromPx = align === "left" ? atPx : atPx - labelPx;
    let lane = laneEndsPx.findIndex((endPx) => endPx + LABEL_GAP_PX <= fromPx);
    if (lane < 0 && laneEndsPx.length < LANES_MAX) lane = laneEndsPx.push(-Infinity) - 1;
    if (lane < 0 || fromPx < -LABEL_GAP_PX) return { mark, label, lane: undefined, align };
    laneEndsPx[lane] = fromPx + labelPx;
    return { mark, label, lane, align };
  });
}
