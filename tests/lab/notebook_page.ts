import type { Locator, Page } from "playwright-core";
import { openBrowser } from "./browser.ts";
import type { LabSetting } from "./setting.ts";
import { until } from "./until.ts";

const KERNEL_WITHIN_MS = 120_000;
/** As wide as a projector; a picture of it is readable on a page. */
const VIEWPORT = { width: 1200, height: 1000 };

/** What JupyterLab's server says of an open notebook, as far as it is read. */
interface Session {
  readonly path: string;
  readonly kernel: { readonly connections: number };
}

/** Opens a notebook in a browser of its own, and ends both; what it looked like when something failed is among the images. */
export async function withNotebook(
  setting: LabSetting,
  name: string,
  work: (notebook: NotebookPage) => Promise<void>,
): Promise<void> {
  await using browser = await openBrowser();
  const page = await browser.newPage({ viewport: VIEWPORT });
  const path = `${setting.failures}/${name.replace(".ipynb", ".png")}`;
  try {
    const notebook = new NotebookPage(page);
    await notebook.open(setting, name);
    await work(notebook);
  } catch (error) {
    await page.screenshot({ path });
    throw error;
  }
}

/** A notebook in JupyterLab, with what a person sees and does there. */
export class NotebookPage {
  readonly page: Page;
  readonly #problems: string[] = [];

  constructor(page: Page) {
    this.page = page;
    page.on("console", (message) => {
      if (message.type() === "error") this.#problems.push(message.text());
    });
    page.on("pageerror", (error) => this.#problems.push(String(error)));
  }

  /** Opens a notebook of the folder that JupyterLab shows, and waits for its kernel. */
  async open({ url, token }: LabSetting, name: string): Promise<void> {
    // A fresh workspace: no tabs of a test before this one.
    const workspace = crypto.randomUUID().slice(0, 8);
    await this.page.goto(
      `${url}/lab/workspaces/${workspace}/tree/notebooks/${name}?token=${token}`,
    );
    await this.page.locator(".jp-NotebookPanel .jp-Notebook .jp-Cell").first().waitFor();
    await this.#foldSidebar();
    // Before the page has joined its kernel it calls it idle, and Run asks which one to take.
    await until("the page has joined a kernel", async () => {
      const response = await fetch(`${url}/api/sessions?token=${token}`);
      const sessions: Session[] = await response.json();
      return sessions.some(({ path, kernel }) => path.endsWith(name) && kernel.connections > 0);
    });
    await this.untilIdle();
  }

  /** Errors that the browser's console has shown. */
  get problems(): readonly string[] {
    return this.#problems;
  }

  /** The code cell whose source holds a text. */
  cell(text: string): Locator {
    const source = this.page.locator(".jp-InputArea", { hasText: text });
    return this.page.locator(".jp-Notebook .jp-CodeCell", { has: source }).first();
  }

  /** Waits until the kernel does nothing. */
  async untilIdle(withinMs = KERNEL_WITHIN_MS): Promise<void> {
    await this.page.locator('.jp-NotebookPanel-toolbar [data-status="idle"]')
      .waitFor({ timeout: withinMs });
  }

  /** Menu Run, Run All Cells. */
  async runAll(): Promise<void> {
    const first = this.page.locator(".jp-Notebook .jp-CodeCell").first();
    await this.menu("Run", "Run All Cells");
    await until("its first cell was sent", async () => await this.promptOf(first) !== "[ ]:");
  }

  /** Chooses from a menu. */
  async menu(name: string, entry: string): Promise<void> {
    await this.page.locator(".lm-MenuBar-item", { hasText: new RegExp(`^${name}$`) }).click();
    const label = new RegExp(`^${entry}$`);
    await this.page.locator(".lm-Menu-item", {
      has: this.page.locator(".lm-Menu-itemLabel", { hasText: label }),
    }).click();
  }

  /** Shift+Enter in a cell. */
  async runCell(text: string): Promise<Locator> {
    const cell = this.cell(text);
    await cell.locator(".cm-content").click();
    await this.page.keyboard.press("Shift+Enter");
    await until(`the cell ${text} was sent`, async () => await this.promptOf(cell) !== "[ ]:");
    return cell;
  }

  /** Menu Kernel, Restart Kernel, and the button of the question. */
  async restartKernel(): Promise<void> {
    await this.menu("Kernel", "Restart Kernel…");
    await this.page.locator(".jp-Dialog button.jp-mod-warn").click();
    await this.page.locator(".jp-Dialog").waitFor({ state: "detached" });
    await this.untilIdle();
  }

  /** Writes other source into a cell. */
  async setCell(text: string, source: string): Promise<void> {
    const content = this.cell(text).locator(".cm-content");
    await content.click();
    await content.fill(source);
  }

  /** `[ ]:` before, `[*]:` while, `[3]:` when it has run. */
  async promptOf(cell: Locator): Promise<string> {
    // Not innerText, which is empty where a browser leaves out what is scrolled away.
    const text = await cell.locator(".jp-InputPrompt").first().textContent() ?? "";
    return text.replaceAll(/\s/g, " ").trim();
  }

  /** Waits until a cell has run. */
  async untilDone(cell: Locator, withinMs: number): Promise<void> {
    await until(
      `the cell has run: ${(await cell.locator(".jp-InputArea").textContent())!.slice(0, 60)}`,
      async () => /^\[\d+\]:$/.test(await this.promptOf(cell)),
      withinMs,
    );
  }

  /** The texts that a cell shows, with a space between them. */
  async outputOf(cell: Locator): Promise<string> {
    const texts = await cell.locator(".jp-OutputArea-output").evaluateAll((outputs) =>
      outputs.flatMap((output) => {
        const elements = [output, ...output.querySelectorAll("*:not(style, script)")];
        const nodes = elements.flatMap((element) => [...element.childNodes]);
        return nodes.filter(({ nodeType }) => nodeType === 3).map((node) => node.textContent ?? "");
      })
    );
    return texts.map((text) => text.trim()).filter((text) => text !== "").join(" ");
  }

  /** The pictures that a cell shows, as SVG. */
  async chartsOf(cell: Locator): Promise<string[]> {
    const sources = await cell.locator(".jp-RenderedSVG img, .jp-RenderedSVG svg").evaluateAll(
      (nodes) =>
        nodes.map((node) =>
          node.tagName === "IMG" ? (node as unknown as { src: string }).src : node.outerHTML
        ),
    );
    return sources.map(svgOf);
  }

  /** The errors that cells show. */
  async errors(): Promise<string[]> {
    return await this.page.locator('.jp-OutputArea-output[data-mime-type*="error"]')
      .allInnerTexts();
  }

  /** Scrolls a cell to the top and takes a picture of the window. */
  async picture(cell: Locator, path: string): Promise<void> {
    await cell.evaluate((node) => node.scrollIntoView({ block: "start" }));
    await this.page.screenshot({ path });
  }

  async #foldSidebar(): Promise<void> {
    const sidebar = this.page.locator("#jp-left-stack");
    await until("the file browser is there", () => sidebar.isVisible());
    await this.page.keyboard.press("Control+b");
    await until("the file browser is folded", async () => !await sidebar.isVisible());
  }
}

function svgOf(source: string): string {
  if (!source.startsWith("data:")) return source;
  const [head, body] = [
    source.slice(0, source.indexOf(",")),
    source.slice(source.indexOf(",") + 1),
  ];
  return head.endsWith("base64") ? atob(body) : decodeURIComponent(body);
}
