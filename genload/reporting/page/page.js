"use strict";
// The page is whole without this: it adds a line that reads all charts of a scenario at one moment, and looking closer.

const SVG = "http://www.w3.org/2000/svg";

class Trace {
  constructor(path) {
    this.name = path.dataset.name;
    this.look = path.classList[0];
    this.d = path.getAttribute("d");
  }

  // Places from left to right, read when they are first wanted. An area comes back along its lower edge.
  get points() {
    if (!this.found) {
      const all = [];
      let x = 0, y = 0;
      for (const [, move, numbers] of this.d.matchAll(/([Mmlhv])([^Mmlhvz]*)/g)) {
        const [a, b] = (numbers.match(/-?\d+/g) || []).map(Number);
        if (move === "h") x += a;
        else if (move === "v") y += a;
        else [x, y] = move === "M" ? [a, b] : [x + a, y + b];
        if (move !== "h") all.push({ x, y, joined: move !== "M" && move !== "m" });
      }
      const half = all.length / 2;
      this.found = this.look === "area" ? all.slice(0, half).map((point, n) => ({ ...point, below: all[2 * half - 1 - n].y })) : all;
    }
    return this.found;
  }

  // Where it is at a place: on a line also between two points of it, of a cloud only a point nearby.
  near(x, reach) {
    const points = this.points;
    let low = 0, high = points.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (points[middle].x < x) low = middle + 1; else high = middle;
    }
    const [before, after] = [points[low - 1], points[low]];
    if (this.look === "stairs") return after?.x === x ? after : before;
    if (before && after?.joined && (this.look === "line" || this.look === "area")) return between(before, after, x);
    const [nearest] = [before, after].filter(Boolean).sort((a, b) => Math.abs(a.x - x) - Math.abs(b.x - x));
    return nearest && Math.abs(nearest.x - x) <= reach ? nearest : undefined;
  }
}

function between(before, after, x) {
  const share = after.x > before.x ? (x - before.x) / (after.x - before.x) : 1;
  const mixed = (name) => before[name] + (after[name] - before[name]) * share;
  return { y: mixed("y"), below: before.below === undefined ? undefined : mixed("below") };
}

class Panel {
  constructor(figure, height) {
    this.plot = figure.querySelector(".plot");
    this.data = figure.querySelector(".data");
    this.title = figure.querySelector("b").textContent;
    this.high = Number(figure.dataset.high);
    this.perStep = (this.high - Number(figure.dataset.low)) / height;
    this.unit = figure.dataset.unit;
    this.traces = [...this.data.querySelectorAll("path[data-name]")].map((path) => new Trace(path));
    [, this.top, , this.tall] = this.data.getAttribute("viewBox").split(" ");
    this.cross = this.data.appendChild(document.createElementNS(SVG, "path"));
    this.cross.classList.add("cross");
    this.picked = this.data.appendChild(document.createElementNS(SVG, "rect"));
    this.picked.classList.add("picked");
    this.picked.setAttribute("height", height);
  }

  read(x, reach) {
    const texts = this.traces.flatMap((trace) => {
      const point = trace.near(x, reach);
      if (!point) return [];
      const value = point.below === undefined ? this.high - point.y * this.perStep : (point.below - point.y) * this.perStep;
      return [`${trace.name === this.title ? "" : `${trace.name} `}${point.y < 0 ? "∞" : `${Number(value.toPrecision(3))} ${this.unit}`.trimEnd()}`];
    });
    return texts.length ? `${this.title}: ${texts.join(", ")}` : "";
  }
}

class Timeline {
  constructor(section) {
    this.section = section;
    this.width = Number(section.dataset.width);
    this.height = Number(section.dataset.height);
    this.perStep = Number(section.dataset.length) / this.width;
    this.panels = [...section.querySelectorAll(".panel")].map((figure) => new Panel(figure, this.height));
    this.readout = section.querySelector(".readout");
    this.times = section.querySelector(".times");
    this.names = [...section.querySelectorAll(".names text")];
    this.whole = this.times.innerHTML;
    this.view = [0, this.width];
    this.thinNames();
    this.at = 0;
    for (const panel of this.panels) {
      panel.plot.addEventListener("pointermove", (event) => this.move(this.place(panel, event)));
      panel.plot.addEventListener("pointerdown", (event) => { this.from = this.place(panel, event); panel.plot.setPointerCapture(event.pointerId); });
      panel.plot.addEventListener("pointerup", (event) => this.pick(this.place(panel, event)));
      panel.plot.addEventListener("pointercancel", () => this.pick(this.from));
      panel.plot.addEventListener("dblclick", () => this.look(0, this.width));
    }
    section.addEventListener("keydown", (event) => this.key(event));
  }

  get span() { return this.view[1] - this.view[0]; }

  place(panel, event) {
    const box = panel.plot.getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    return Math.round(this.view[0] + share * this.span);
  }

  move(x) {
    this.at = Math.min(this.view[1], Math.max(this.view[0], x));
    for (const panel of this.panels) {
      panel.cross.setAttribute("d", `M${this.at} 0v${this.height}`);
      const [from, to] = this.from === undefined ? [0, 0] : [Math.min(this.from, x), Math.max(this.from, x)];
      panel.picked.setAttribute("x", from);
      panel.picked.setAttribute("width", to - from);
    }
    const shown = this.panels.filter((panel) => panel.plot.checkVisibility());
    const texts = shown.map((panel) => panel.read(this.at, this.span / 100)).filter(Boolean);
    this.readout.textContent = `${clock(this.at * this.perStep)} · ${texts.join(" · ")}`;
  }

  pick(x) {
    const [from, to] = [Math.min(this.from ?? x, x), Math.max(this.from ?? x, x)];
    this.from = undefined;
    if (to - from > this.span / 100) this.look(from, to);
    this.move(x);
  }

  // Of names that would lie on each other the shorter stays: level3, not level3_settling.
  thinNames() {
    const taken = [], edge = this.names.length && this.names[0].ownerSVGElement.clientWidth + 12;
    const length = (name) => name.textContent.length;
    for (const name of [...this.names].sort((one, other) => length(one) - length(other))) {
      const { x, width } = name.getBBox();
      if (name.style.visibility === "hidden") continue;
      const isOver = x + width > edge || taken.some(([from, to]) => x < to + 6 && from < x + width + 6);
      if (isOver) name.style.visibility = "hidden";
      else taken.push([x, x + width]);
    }
  }

  look(from, to) {
    const least = 20;
    from = Math.max(0, Math.min(from, this.width - least));
    to = Math.min(this.width, Math.max(to, from + least));
    this.view = [from, to];
    for (const panel of this.panels) panel.data.setAttribute("viewBox", `${from} ${panel.top} ${to - from} ${panel.tall}`);
    for (const name of this.names) {
      const at = (Number(name.dataset.at) - from) / (to - from) * 100;
      name.setAttribute("x", `${at}%`);
      name.style.visibility = at < -0.5 || at > 99 ? "hidden" : "visible";
    }
    this.thinNames();
    if (from === 0 && to === this.width) { this.times.innerHTML = this.whole; return; }
    this.times.replaceChildren(...[0, 1, 2, 3, 4].map((quarter) => {
      const text = document.createElementNS(SVG, "text");
      text.setAttribute("x", `${quarter * 25}%`);
      text.setAttribute("y", 12);
      text.setAttribute("text-anchor", ["start", "middle", "middle", "middle", "end"][quarter]);
      text.textContent = clock((from + (to - from) * quarter / 4) * this.perStep);
      return text;
    }));
  }

  key(event) {
    const zoom = (factor) => this.look(this.at - (this.at - this.view[0]) * factor, this.at + (this.view[1] - this.at) * factor);
    const actions = {
      ArrowLeft: () => this.move(this.at - this.span / 100),
      ArrowRight: () => this.move(this.at + this.span / 100),
      "+": () => zoom(0.5),
      "-": () => zoom(2),
      Escape: () => this.look(0, this.width),
    };
    if (event.target !== this.section || !(event.key in actions)) return;
    actions[event.key]();
    event.preventDefault();
  }
}

function clock(seconds) {
  if (seconds < 600) return `${Number(seconds.toPrecision(4))} s`;
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60];
  return parts.map((part) => String(part).padStart(2, "0")).join(":");
}

function reveal() {
  const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  for (let node = target; node; node = node.parentElement) if (node.tagName === "DETAILS") node.open = true;
  if (target) target.scrollIntoView();
}

for (const section of document.querySelectorAll(".timeline")) new Timeline(section);
addEventListener("hashchange", reveal);
addEventListener("beforeprint", () => document.querySelectorAll("details.scenario").forEach((each) => { each.open = true; }));
reveal();
