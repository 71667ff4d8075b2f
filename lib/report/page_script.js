// The script of a report: values under the pointer, zoom along time, series hidden by their name in the legend. It moves
// and stretches what the static drawing holds and redraws nothing but the ticks of the axes, so that the page is the same picture
// with and without it. Nothing here is animated. Lines that begin with // are left out of the page.
(() => {
  "use strict";
  const SVG = "http://www.w3.org/2000/svg";
  const charts = JSON.parse(document.getElementById("weir-charts").textContent);
  const fullSec = Math.max(...charts.map(({ axis, to }) => (axis === "time" ? to : 0)));
  let zoom = [0, fullSec];
  const STEPS_SEC = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600]
    .concat([7200, 10800, 21600, 43200, 86400]);

  const element = (name, className, parent, text = "") => {
    const made = document.createElement(name);
    made.className = className;
    made.textContent = text;
    parent.append(made);
    return made;
  };
  const shape = (name, attributes, parent) => {
    const made = document.createElementNS(SVG, name);
    for (const key in attributes) made.setAttribute(key, attributes[key]);
    parent.append(made);
    return made;
  };

  const digits = (value, count) => Number(value.toPrecision(count)).toLocaleString("en-US");
  const valueText = (value, unit) => {
    if (value === null || value === undefined) return "–";
    if (unit === "milliseconds") {
      if (value < 1) return `${digits(value * 1000, 3)} µs`;
      return value < 1000 ? `${digits(value, 4)} ms` : `${digits(value / 1000, 4)} s`;
    }
    if (unit === "mebibytes") return `${digits(value, 4)} MiB`;
    return value >= 100 ? Math.round(value).toLocaleString("en-US") : digits(value, 3);
  };
  // Seconds while they are few, else m:ss or h:mm:ss.
  const timeText = (sec, stepSec = 0.1) => {
    const places = stepSec < 1 ? 1 : 0;
    if (fullSec <= 300) return `${Number(sec.toFixed(places))} s`;
    const two = (count) => String(count).padStart(2, "0");
    const whole = Math.floor(sec + 0.0005);
    const parts = [Math.floor(whole / 60) % 60, two(whole % 60)];
    const hours = Math.floor(whole / 3600);
    const fraction = places && sec - whole > 0.05 ? (sec - whole).toFixed(1).slice(1) : "";
    return (hours > 0 ? [hours, two(parts[0]), parts[1]] : parts).join(":") + fraction;
  };

  const rangeOf = ({ axis, from, to }) => (axis === "time" ? zoom : [from, to]);
  const shareOf = (chart, at) => {
    const [from, to] = rangeOf(chart);
    return chart.axis === "time"
      ? (at - from) / (to - from)
      : Math.log(at / from) / Math.log(to / from);
  };
  const atShare = (chart, share) => {
    const [from, to] = rangeOf(chart);
    return chart.axis === "time" ? from + share * (to - from) : from * (to / from) ** share;
  };
  const atText = ({ axis }, at) =>
    axis === "time" ? timeText(at) : `${Number((100 * (1 - 1 / at)).toPrecision(6))}%`;

  // Index of the point of a line that is nearest to an instant.
  const nearest = (points, at) => {
    let low = 0;
    let high = points.length / 2 - 1;
    if (high < 0) return -1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (points[2 * middle] < at) low = middle + 1;
      else high = middle;
    }
    return low > 0 && at - points[2 * low - 2] < points[2 * low] - at ? low - 1 : low;
  };
  // Instants at which a chart has a value, for the arrow keys.
  const instantsOf = ({ lines }) =>
    [...new Set(lines.flatMap(({ points }) => points.filter((_, i) => i % 2 === 0)))]
      .sort((a, b) => a - b);

  // What is known of one drawing: the moved parts, with their places when nothing is zoomed.
  const viewOf = (chart, plot) => {
    const svg = plot.querySelector("svg");
    const boxes = chart.boxes[plot.dataset.size];
    const view = { chart, plot, svg, boxes, moved: [], ticks: [], valueTicks: [], drawn: [] };
    const all = [...svg.querySelectorAll("[data-part]")];
    view.lines = chart.lines.map((_, i) => all.filter(({ dataset }) => dataset.part === `s${i}`));
    const [low, high, kind] = (svg.dataset.y || "").split(" ");
    view.scale = low === undefined || low === "" ? null : scaleOf(kind === "log", +low, +high);
    if (view.scale !== null) {
      boxes.forEach(({ leftPx, topPx, widthPx, heightPx }, i) => {
        const clip = shape("clipPath", { id: `${svg.id}-zoom${i}` }, svg);
        shape("rect", { x: leftPx, y: topPx - 1, width: widthPx, height: heightPx + 2 }, clip);
        view.ticks.push(all.filter(({ dataset }) => dataset.part === `x${i}`));
        view.valueTicks.push(all.filter(({ dataset }) => dataset.part === `y${i}`));
      });
      view.moved = all.filter(({ dataset }) => /^[sm]/.test(dataset.part)).map((node) => {
        // Before anything is hidden or moved: a hidden node has no place.
        const [x, y] = middleOf(node);
        const box = boxes.findIndex(({ leftPx, topPx, widthPx, heightPx }) =>
          x >= leftPx - 9 && x <= leftPx + widthPx + 9 && y >= topPx - 70 &&
          y <= topPx + heightPx + 9
        );
        const isMark = node.dataset.part === "m";
        const before = node.getAttribute("transform") || "";
        return { node, box: Math.max(0, box), before, isMark };
      });
      for (const { node, box } of view.moved) {
        if (node.tagName === "text" || node.parentNode.hasAttribute("clip-path")) continue;
        const group = document.createElementNS(SVG, "g");
        group.setAttribute("clip-path", `url(#${svg.id}-zoom${box})`);
        node.replaceWith(group);
        group.append(node);
      }
    }
    boxes.forEach((box) => {
      view.drawn.push(shape("line", {
        class: "cross",
        y1: box.topPx,
        y2: box.topPx + box.heightPx,
      }, svg));
    });
    view.band = shape("rect", { class: "band", visibility: "hidden" }, svg);
    return view;
  };
  const middleOf = (node) => {
    const text = node.getAttribute("d") || node.getAttribute("points") || "0 0";
    const [, e = 0, f = 0] = /translate\(([-\d.]+)[ ,]+([-\d.]+)\)/.exec(
      node.getAttribute("transform") || "",
    ) || [];
    const [, x = 0, y = 0] = /matrix\((?:[^,]*,){4}([-\d.]+),([-\d.]+)\)/.exec(
      node.getAttribute("transform") || "",
    ) || /M?([-\d.]+)[ ,]([-\d.]+)/.exec(text) || [];
    return e || f ? [Number(e), Number(f)] : [Number(x), Number(y)];
  };

  // A value axis: its ends, in the numbers that are linear along it.
  const scaleOf = (isLog, from, to) => ({
    isLog,
    of: isLog ? Math.log10 : (value) => value,
    low: isLog ? Math.log10(from) : from,
    high: isLog ? Math.log10(to) : to,
  });
  // The ends that suit what is shown, with round steps; null where it is all that was drawn.
  const suitedScale = ({ chart, figure, scale }) => {
    const [from, to] = rangeOf(chart);
    const isAll = chart.axis !== "time" || (from === 0 && to === fullSec);
    if (isAll && figure.hiddenLines.size === 0) return null;
    const values = [];
    chart.lines.forEach(({ points }, line) => {
      if (figure.hiddenLines.has(line)) return;
      for (let i = 0; i < points.length; i += 2) {
        const value = points[i + 1];
        if (value !== null && points[i] >= from && points[i] <= to) values.push(value);
      }
    });
    const highest = values.reduce((a, b) => Math.max(a, b), 0);
    if (highest <= 0) return null;
    if (scale.isLog) {
      const floor = 10 ** scale.low;
      const lowest = values.reduce((a, b) => Math.min(a, Math.max(b, floor)), highest);
      const low = Math.floor(Math.log10(lowest) + 1e-9);
      const high = Math.max(low + 1, Math.ceil(Math.log10(highest) - 1e-9));
      return { low, high, steps: rangeFrom(low, high, 1).map((power) => 10 ** power) };
    }
    const power = 10 ** Math.floor(Math.log10(highest / 4));
    const wanted = power * [1, 2, 5, 10].find((factor) => factor * power >= highest / 4 - 1e-12);
    const step = chart.unit === "count" ? Math.max(1, wanted) : wanted;
    const high = Math.ceil(highest / step - 1e-9) * step;
    return { low: 0, high, steps: rangeFrom(0, high, step) };
  };
  const rangeFrom = (from, to, step) =>
    Array.from({ length: Math.round((to - from) / step) + 1 }, (_, i) => from + i * step);

  const views = [];
  const place = (view) => {
    const { moved, boxes, scale: drawnScale } = view;
    const isTime = view.chart.axis === "time";
    const [from, to] = isTime ? zoom : [0, fullSec];
    const scale = isTime ? fullSec / (to - from) : 1;
    const suited = suitedScale(view);
    // Up and down: y becomes stretch × y + lift.
    const stretch = suited ? (drawnScale.high - drawnScale.low) / (suited.high - suited.low) : 1;
    const lifts = boxes.map(({ topPx, heightPx }) => {
      if (!suited) return 0;
      const raised = (heightPx * (drawnScale.low - suited.low)) / (suited.high - suited.low);
      return (topPx + heightPx) * (1 - stretch) - raised;
    });
    for (const { node, box, before, isMark } of moved) {
      const { leftPx, widthPx } = boxes[box];
      const shift = isTime ? leftPx - scale * (leftPx + (widthPx * from) / fullSec) : 0;
      const [up, lift] = isMark ? [1, 0] : [stretch, lifts[box]];
      const dot = /^matrix\(([^,]*),0,0,([^,]*),([^,]*),([^,]*)\)$/.exec(before);
      const label = /^translate\(([-\d.]+)[ ,]([-\d.]+)\)$/.exec(before);
      if (scale === 1 && (isMark || !suited)) node.setAttribute("transform", before);
      else if (dot) {
        const x = scale * Number(dot[3]) + shift;
        const y = up * Number(dot[4]) + lift;
        node.setAttribute("transform", `matrix(${dot[1]},0,0,${dot[2]},${x},${y})`);
      } else if (label) {
        // It begins or ends two to the side of its line, however wide the rest becomes.
        const side = node.getAttribute("text-anchor") === "end" ? -2 : 2;
        const x = scale * (Number(label[1]) + side) + shift - side;
        node.setAttribute("transform", `translate(${x} ${label[2]})`);
        const isOut = x < leftPx - 4 || x > leftPx + widthPx + 4;
        node.setAttribute("visibility", isOut ? "hidden" : "visible");
      } else {
        node.setAttribute("vector-effect", "non-scaling-stroke");
        node.setAttribute("transform", `matrix(${scale} 0 0 ${up} ${shift} ${lift}) ${before}`);
      }
      if (scale === 1 && label) node.removeAttribute("visibility");
    }
    view.valueTicks.forEach((nodes, i) => drawValueTicks(view, nodes, i, suited));
    if (!isTime) return;
    view.ticks.forEach((nodes, i) => drawTicks(view, nodes, i, scale === 1));
  };
  const drawTicks = (view, nodes, i, isFull) => {
    view.svg.querySelectorAll(`[data-zoomed="${i}"]`).forEach((node) => node.remove());
    for (const node of nodes) node.setAttribute("visibility", isFull ? "visible" : "hidden");
    const label = nodes.find(({ tagName }) => tagName === "text");
    if (isFull || label === undefined) return;
    const { leftPx, topPx, widthPx, heightPx } = view.boxes[i];
    const [from, to] = zoom;
    const countMax = Math.max(2, widthPx / 68);
    const stepSec = STEPS_SEC.find((step) => (to - from) / step <= countMax) || 86400;
    for (let n = Math.ceil(from / stepSec - 1e-6); n * stepSec <= to + 1e-6; n++) {
      const x = leftPx + (widthPx * (n * stepSec - from)) / (to - from);
      const text = label.cloneNode();
      text.textContent = timeText(n * stepSec, stepSec);
      const y = /[ ,]([-\d.]+)\)$/.exec(label.getAttribute("transform"))[1];
      text.setAttribute("transform", `translate(${x} ${y})`);
      text.setAttribute("text-anchor", "middle");
      const bottom = topPx + heightPx;
      const stroke = { class: "tick", x1: x, x2: x, y1: bottom, y2: bottom + 5 };
      for (const node of [text, shape("line", stroke, view.svg)]) {
        node.setAttribute("visibility", "visible");
        node.dataset.zoomed = i;
        view.svg.append(node);
      }
    }
  };

  // As the static picture writes them.
  const axisText = (value, unit) => {
    const short = (number) => String(Number(number.toPrecision(4)));
    if (unit === "milliseconds") {
      if (value === 0) return "0";
      if (value < 1) return `${short(value * 1000)} µs`;
      return value < 1000 ? `${short(value)} ms` : `${short(value / 1000)} s`;
    }
    if (unit !== "count" || value < 1000) return short(value);
    return value < 1e6 ? `${short(value / 1e3)}k` : `${short(value / 1e6)}M`;
  };
  const drawValueTicks = (view, nodes, i, suited) => {
    view.svg.querySelectorAll(`[data-scaled="${i}"]`).forEach((node) => node.remove());
    for (const node of nodes) node.setAttribute("visibility", suited ? "hidden" : "visible");
    if (!suited) return;
    const { topPx, heightPx } = view.boxes[i];
    // One of each kind: the grid's line, the tick at the axis, the label.
    const lengthOf = (node) => {
      const [x1, , x2] = (node.getAttribute("d") || "").match(/[-\d.]+/g) || [0, 0, 0];
      return Math.abs(x2 - x1);
    };
    const label = nodes.find(({ tagName }) => tagName === "text");
    const lines = nodes.filter((node) => node.getAttribute("d") !== null);
    const kinds = [
      lines.find((one) => lengthOf(one) > 20),
      lines.find((one) => lengthOf(one) <= 20),
    ];
    const add = (node, before) => {
      node.setAttribute("visibility", "visible");
      node.removeAttribute("data-part");
      node.dataset.scaled = i;
      before.parentNode.insertBefore(node, before);
    };
    for (const value of suited.steps) {
      const share = (view.scale.of(value) - suited.low) / (suited.high - suited.low);
      const y = topPx + heightPx * (1 - share);
      for (const kind of kinds) {
        if (kind === undefined) continue;
        const line = kind.cloneNode();
        line.setAttribute(
          "transform",
          `translate(0 ${y - kind.getAttribute("d").match(/[-\d.]+/g)[1]})`,
        );
        add(line, kind);
      }
      if (label === undefined) continue;
      const text = label.cloneNode();
      text.textContent = axisText(value, view.chart.unit);
      const x = /\(([-\d.]+)/.exec(label.getAttribute("transform"))[1];
      text.setAttribute("transform", `translate(${x} ${y})`);
      add(text, label);
    }
  };

  const bar = document.querySelector(".zoombar");
  bar.hidden = false;
  const zoomText = bar.querySelector("[role=status]");
  const resetButton = bar.querySelector("button");
  const setZoom = (from, to) => {
    const spanSec = Math.min(fullSec, Math.max(to - from, Math.min(1, fullSec)));
    const begin = Math.min(Math.max(0, (from + to - spanSec) / 2), fullSec - spanSec);
    zoom = [begin, begin + spanSec];
    const isZoomed = spanSec < fullSec * 0.999;
    if (!isZoomed) zoom = [0, fullSec];
    resetButton.hidden = !isZoomed;
    zoomText.textContent = isZoomed ? `${timeText(zoom[0])} to ${timeText(zoom[1])}` : "";
    hide();
    for (const view of views) if (view.chart.axis === "time") place(view);
  };
  resetButton.addEventListener("click", () => setZoom(0, fullSec));

  const hide = () => {
    for (const view of views) {
      for (const line of view.drawn) line.setAttribute("visibility", "hidden");
      view.tip.hidden = true;
    }
  };
  // Values at an instant: a line through all charts that share the axis, and the figures at the one that is read.
  const read = (view, wanted, isSpoken = false) => {
    const { chart, tip, figure } = view;
    const shown = chart.lines.filter((_, i) => !figure.hiddenLines.has(i));
    const instants = shown.flatMap(({ points }) => {
      const i = nearest(points, wanted);
      return i < 0 ? [] : [points[2 * i]];
    });
    if (instants.length === 0) return hide();
    const at = instants.reduce((a, b) => (Math.abs(b - wanted) < Math.abs(a - wanted) ? b : a));
    view.at = at;
    for (const other of views) {
      const share = shareOf(other.chart, at);
      const isSame = other.chart.axis === chart.axis && share >= -0.001 && share <= 1.001;
      other.drawn.forEach((line, i) => {
        const x = other.boxes[i].leftPx + share * other.boxes[i].widthPx;
        line.setAttribute("visibility", isSame ? "visible" : "hidden");
        if (isSame) { for (const name of ["x1", "x2"]) line.setAttribute(name, x); }
      });
      other.tip.hidden = other !== view;
    }
    const rows = shown.map((line) => {
      const i = nearest(line.points, at);
      // A point of another instant says nothing of this one.
      const isNear = Math.abs(line.points[2 * i] - at) <= (chart.axis === "time" ? 0.75 : at * 0.2);
      return [line, isNear ? valueText(line.points[2 * i + 1], chart.unit) : "–"];
    });
    tip.replaceChildren();
    element("strong", "", tip, atText(chart, at));
    for (const [line, text] of rows) {
      const row = element("span", "", tip);
      const key = element("i", "key", row);
      key.dataset.look = line.look;
      key.style.setProperty("--tone", `var(--weir-${line.tone})`);
      element("span", "", row, line.name);
      element("b", "", row, text);
    }
    const box = view.boxes[0];
    const scale = view.svg.getBoundingClientRect().width / view.svg.viewBox.baseVal.width;
    const last = view.boxes[view.pointed || 0] || box;
    const x = (last.leftPx + shareOf(chart, at) * last.widthPx) * scale;
    // At the side that has more room, and never out of the picture.
    const room = view.plot.clientWidth - tip.offsetWidth;
    const left = x > view.plot.clientWidth / 2 ? x - 14 - tip.offsetWidth : x + 14;
    tip.style.left = `${Math.max(0, Math.min(room, left))}px`;
    tip.style.top = `${last.topPx * scale}px`;
    if (isSpoken) {
      figure.live.textContent = `${atText(chart, at)}: ` +
        rows.map(([{ name }, text]) => `${name} ${text}`).join(", ");
    }
  };

  // Where the pointer is: the panel, and the instant within it.
  const pointAt = (view, event) => {
    const rect = view.svg.getBoundingClientRect();
    const scale = view.svg.viewBox.baseVal.width / rect.width;
    const x = (event.clientX - rect.left) * scale;
    const y = (event.clientY - rect.top) * scale;
    const far = ({ leftPx, topPx, widthPx, heightPx }) =>
      Math.max(leftPx - x, 0, x - leftPx - widthPx) + Math.max(topPx - y, 0, y - topPx - heightPx);
    view.pointed = view.boxes.reduce(
      (best, box, i) => (far(box) < far(view.boxes[best]) ? i : best),
      0,
    );
    const { leftPx, widthPx } = view.boxes[view.pointed];
    return atShare(view.chart, Math.min(1, Math.max(0, (x - leftPx) / widthPx)));
  };
  const listen = (view) => {
    const { plot, band, chart } = view;
    let began = null;
    plot.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      began = chart.axis === "time" ? { x: event.clientX, at: pointAt(view, event) } : null;
      if (event.pointerType === "touch") read(view, pointAt(view, event));
    });
    plot.addEventListener("pointermove", (event) => {
      const at = pointAt(view, event);
      read(view, at);
      if (began === null || Math.abs(event.clientX - began.x) < 6) return;
      plot.setPointerCapture(event.pointerId);
      const { leftPx, topPx, widthPx, heightPx } = view.boxes[view.pointed];
      const [a, b] = [began.at, at].sort((c, d) => c - d).map((one) => shareOf(chart, one));
      const sides = { x: leftPx + a * widthPx, y: topPx, width: (b - a) * widthPx };
      for (const name in sides) band.setAttribute(name, sides[name]);
      band.setAttribute("height", heightPx);
      band.setAttribute("visibility", "visible");
    });
    const end = (event) => {
      band.setAttribute("visibility", "hidden");
      const start = began;
      began = null;
      if (event.type === "pointercancel" || start === null) return;
      if (Math.abs(event.clientX - start.x) < 6) return;
      setZoom(...[start.at, pointAt(view, event)].sort((a, b) => a - b));
    };
    plot.addEventListener("pointerup", end);
    plot.addEventListener("pointercancel", end);
    plot.addEventListener("pointerleave", (event) => {
      if (event.pointerType !== "touch") hide();
    });
    plot.addEventListener("blur", hide);
    plot.addEventListener("dblclick", () => chart.axis === "time" && setZoom(0, fullSec));
    plot.addEventListener("keydown", (event) => onKey(view, event));
  };
  const onKey = (view, event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { chart } = view;
    const [from, to] = rangeOf(chart);
    const instants = view.instants.filter((at) => at >= from && at <= to);
    const here = Math.max(0, instants.findIndex((at) => at >= (view.at ?? from)));
    const step = event.shiftKey ? 10 : 1;
    const targets = {
      ArrowLeft: here - step,
      ArrowRight: view.tip.hidden ? here : here + step,
      Home: 0,
      End: instants.length - 1,
    };
    const target = targets[event.key];
    if (target !== undefined && instants.length > 0) {
      view.pointed = 0;
      read(view, instants[Math.min(instants.length - 1, Math.max(0, target))], true);
    } else if (chart.axis === "time" && "+=-".includes(event.key)) {
      const middle = view.at === undefined
        ? (from + to) / 2
        : Math.min(to, Math.max(from, view.at));
      const half = ((to - from) / 2) * (event.key === "-" ? 2 : 0.5);
      setZoom(middle - half, middle + half);
    } else if (event.key === "Escape" || event.key === "0") setZoom(0, fullSec);
    else return;
    event.preventDefault();
  };

  for (const chart of charts) {
    const figure = document.querySelector(`[data-chart="${chart.id}"]`);
    if (figure === null || chart.lines.every(({ points }) => points.length === 0)) continue;
    figure.hiddenLines = new Set();
    figure.live = element("p", "quiet", figure);
    figure.live.setAttribute("aria-live", "polite");
    const own = [...figure.querySelectorAll(".plot")].map((plot) => {
      const view = viewOf(chart, plot);
      view.figure = figure;
      view.instants = instantsOf(chart);
      view.tip = element("div", "tip", plot);
      view.tip.setAttribute("aria-hidden", "true");
      plot.tabIndex = 0;
      plot.setAttribute("role", "group");
      const keys = chart.axis === "time" ? ", plus and minus zoom, Escape resets" : "";
      plot.setAttribute("aria-label", `${chart.title}: arrow keys read values${keys}`);
      listen(view);
      return view;
    });
    views.push(...own);
    figure.querySelectorAll(".legend li").forEach((item, i) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...item.childNodes);
      button.setAttribute("aria-pressed", "true");
      button.title = "Show or hide";
      item.append(button);
      button.addEventListener("click", () => {
        const isHidden = !figure.hiddenLines.delete(i);
        if (isHidden) figure.hiddenLines.add(i);
        button.setAttribute("aria-pressed", String(!isHidden));
        for (const view of own) {
          for (const node of view.lines[i]) node.style.display = isHidden ? "none" : "";
          if (view.scale !== null) place(view);
        }
      });
    });
  }
  hide();
})();
