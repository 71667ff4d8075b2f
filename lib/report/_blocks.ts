import { type Html, html, type HtmlValue } from "./escape.ts";

/** A column of a table. */
export interface Column<Row> {
  readonly head: string;
  /** Numbers stand at the right. */
  readonly number?: boolean;
  cell(row: Row): HtmlValue;
}

/**
 * A table whose first column heads its rows; it scrolls inside itself where the page is too narrow.
 *
 * @param caption read out, not shown: the heading above says it
 */
export function table<Row>(
  caption: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): Html {
  const kind = (column: Column<Row>) => column.number === true ? "number" : "text";
  const heads = columns.map((column) =>
    html`<th scope="col" class="${kind(column)}">${column.head}</th>`
  );
  const body = rows.map((row) => {
    const cells = columns.map((column, i) =>
      i === 0
        ? html`<th scope="row">${column.cell(row)}</th>`
        : html`<td class="${kind(column)}">${column.cell(row)}</td>`
    );
    return html`<tr>${cells}</tr>`;
  });
  // What scrolls must be reachable with the keyboard, and then needs a name.
  return html`
    <div class="scroll" tabindex="0" role="region" aria-label="Table: ${caption}">
      <table>
        <caption class="quiet">${caption}</caption>
        <thead>
          <tr>${heads}</tr>
        </thead>
        <tbody>${body}</tbody>
      </table>
    </div>
  `;
}

/** How {@link pairs} looks. */
export interface PairsOptions {
  /** Read out, not shown, where a heading says it already. */
  readonly quiet?: boolean;
  /** The values are numbers. */
  readonly numbers?: boolean;
  /** On a phone the values stand below their names, which are long. */
  readonly stacked?: boolean;
}

/** Names and values, as a table without heads. */
export function pairs(
  caption: string,
  rows: readonly (readonly [string, HtmlValue])[],
  { quiet = false, numbers = false, stacked = false }: PairsOptions = {},
): Html {
  const body = rows.map(([name, value]) =>
    html`
      <tr>
        <th scope="row">${name}</th>
        <td class="${numbers ? "number" : "text"}">${value}</td>
      </tr>
    `
  );
  return html`
    <table class="${stacked ? "stacked" : "pairs"}">
      <caption class="${quiet ? "quiet" : "shown"}">${caption}</caption>
      <tbody>${body}</tbody>
    </table>
  `;
}

/** A part of the page with its heading. */
export function section(heading: string, ...content: readonly HtmlValue[]): Html {
  const id = heading.toLowerCase().replaceAll(/[^a-z]+/g, "-");
  return html`<section aria-labelledby="${id}"><h2 id="${id}">${heading}</h2>${
    content.map((part) => html`${part}`)
  }</section>`;
}

/** Content on a ground of its own. */
export function card(...content: readonly HtmlValue[]): Html {
  return html`<div class="card">${content.map((part) => html`${part}`)}</div>`;
}
