import type { Picture } from "../report/mod.ts";
import type { ControlAddress, ControlCommand } from "../run/mod.ts";

/** What the controls of a run are made from. */
export interface ControlsOptions {
  /** Unique in the notebook: letters, digits and dashes. */
  readonly id: string;
  readonly address: ControlAddress;
  /** Where the slider stands at first, messages per second. */
  readonly rateMessagesPerSec: number;
  /** Names of the run's processes. */
  readonly roles: readonly string[];
}

interface Button {
  readonly name: string;
  readonly text: string;
  readonly command: ControlCommand;
}

const FREEZE_MS = 1400;

const FLOW: readonly Button[] = [
  { name: "pause", text: "Pause", command: { command: "pause" } },
  { name: "resume", text: "Resume", command: { command: "resume" } },
  { name: "stop", text: "Stop the run", command: { command: "stop" } },
];

function faultButtons(roles: readonly string[]): Button[] {
  const kills = roles.map((role): Button => ({
    name: `kill-${role}`,
    text: `Kill ${role}`,
    command: { command: "inject", kind: "kill", role },
  }));
  const aggregate = roles.find((role) => role.startsWith("aggregate"));
  const worst: Button[] = aggregate === undefined ? [] : [{
    name: "kill-after-insert",
    text: `Kill ${aggregate} after its insert`,
    command: { command: "inject", kind: "kill", role: aggregate, at: "after-insert" },
  }];
  const broker: Button[] = !roles.includes("broker") ? [] : [{
    name: "freeze-broker",
    text: `Freeze broker for ${FREEZE_MS / 1000} s`,
    command: { command: "inject", kind: "freeze", role: "broker", forMs: FREEZE_MS },
  }];
  const cut: Button[] = !roles.includes("produce") ? [] : [{
    name: "cut-produce",
    text: "Cut produce's connection",
    command: { command: "inject", kind: "cut", role: "produce" },
  }];
  return [...kills, ...worst, ...broker, ...cut];
}

/** A number that a slider may end at: 1, 2 or 5 times a power of ten. */
function niceAbove(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, value)));
  return power * ([1, 2, 5, 10].find((factor) => factor * power >= value) ?? 10);
}

/** What breaks something is red, as its mark on the charts. */
function buttonHtml({ name, text, command }: Button): string {
  const ink = command.command === "inject" ? "#b42318" : "#1d2433";
  const style = `font:inherit;padding:2px 10px;border:1px solid ${ink};border-radius:4px;` +
    `background:#fff;color:${ink};cursor:pointer`;
  const data = JSON.stringify(command).replaceAll('"', "&quot;");
  return `<button type="button" style="${style}" data-weir="${name}" data-command="${data}">${text}</button>`;
}

const STYLE =
  "font:13px/1.5 system-ui,sans-serif;display:flex;flex-wrap:wrap;gap:6px 10px;align-items:center;max-width:860px";

/**
 * Slider and buttons that call the run's control server from the browser. Where the browser cannot reach it, which is on the kernel's machine only,
 * they say so.
 */
export function controlsPicture(options: ControlsOptions): Picture {
  const { id, address, rateMessagesPerSec: rate, roles } = options;
  const max = niceAbove(2 * rate);
  const config = JSON.stringify({ id, url: address.url, token: address.token })
    .replaceAll("<", "\\u003c");
  const page = `<div id="${id}" style="${STYLE}">
<label>Rate <input type="range" data-weir="rate" min="0" max="${max}" step="${
    max / 100
  }" value="${rate}" style="width:220px;vertical-align:middle"></label>
<output data-weir="rate-text" style="min-width:9em">${rate} messages/s</output>
${FLOW.map(buttonHtml).join("\n")}
<span style="flex-basis:100%;height:0"></span>
${faultButtons(roles).map(buttonHtml).join("\n")}
<div data-weir="state" role="status" style="flex-basis:100%">Connecting to the run …</div>
</div>
<script>(${CLIENT})(${config});</script>`;
  return { "text/plain": "controls of the run: a browser shows them", "text/html": page };
}

/** What stands in their place when the run is over: without the token. */
export function endedControlsPicture(runId: string): Picture {
  return {
    "text/plain": `run ${runId} has ended`,
    "text/html":
      `<div data-weir="ended" style="${STYLE}">Run ${runId} has ended: its controls are gone, its verdict stays.</div>`,
  };
}

/** Runs in the browser. Plain, because nothing translates it. */
const CLIENT = String.raw`function (config) {
  var failures = 0, reached = false, tries = 0;
  function begin() {
    var root = document.getElementById(config.id);
    if (root === null) { if (++tries < 50) setTimeout(begin, 100); return; }
    var find = function (name) { return root.querySelector('[data-weir="' + name + '"]'); };
    var state = find("state"), slider = find("rate"), text = find("rate-text");
    var whole = function (n) { return n === null || n === undefined ? "–" : Math.round(n).toLocaleString("en-US"); };
    function call(path, command) {
      return fetch(config.url + path, {
        method: command ? "POST" : "GET",
        headers: { authorization: "Bearer " + config.token, "content-type": "application/json" },
        body: command ? JSON.stringify(command) : undefined
      }).then(function (response) {
        return response.json().then(function (answer) {
          if (!response.ok) throw new Error(answer.error);
          return answer;
        });
      });
    }
    function say(words, isBad) { state.textContent = words; state.style.color = isBad ? "#b42318" : ""; }
    var heldUntil = 0;
    function send(command) {
      call("/command", command).then(function (answer) { say("Done: " + answer.done); }, function (error) {
        say(error instanceof TypeError ? unreachable() : error.message, true);
      }).then(function () { heldUntil = Date.now() + 2500; });
    }
    function unreachable() {
      return reached
        ? "The run does not answer any more: it has ended, or is just ending."
        : "This browser cannot reach the run's controls: they answer on the kernel's machine only. run.rate(…), run.pause(), run.inject(…) work all the same.";
    }
    root.querySelectorAll("button").forEach(function (button) {
      button.addEventListener("click", function () { send(JSON.parse(button.dataset.command)); });
    });
    slider.addEventListener("input", function () { text.textContent = whole(+slider.value) + " messages/s"; });
    slider.addEventListener("change", function () { send({ command: "rate", messagesPerSec: +slider.value }); });
    function poll() {
      if (!root.isConnected) return;
      call("/status").then(function (s) {
        failures = 0; reached = true;
        if (Date.now() < heldUntil) return;
        say(s.phase + (s.isPaused ? ", paused" : "") + " · " + Math.round(s.elapsedSec) + " of " + Math.round(s.plannedSec) + " s · in " +
          whole(s.rateMessagesPerSec) + " of " + whole(s.targetRateMessagesPerSec) + " messages/s · backlog " + whole(s.backlogMessages) +
          (s.restartCount ? " · restarts " + s.restartCount : ""));
      }).catch(function () {
        if (++failures >= 3) say(unreachable(), !reached);
      }).then(function () { if (failures < 10) setTimeout(poll, 1000); });
    }
    poll();
  }
  begin();
}`;
