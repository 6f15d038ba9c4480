"use strict";

const SVG = "http://www.w3.org/2000/svg";
const FIRST = ["gpu.utilisation", "gpu.memory_used", "gpu.power", "server.cpu", "server.memory", "server.in_flight", "host.cpu"];
const by = (id) => document.getElementById(id);
let moments = [], shownRun, failures = 0;

function text(tag, words, className = "") {
  const found = document.createElement(tag);
  found.textContent = words;
  found.className = className;
  return found;
}

function seconds(value) {
  const whole = Math.max(0, Math.round(value));
  return whole < 120 ? `${whole} s` : `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
}

const UNITS = {
  s: (v) => (v < 1 ? `${Number((v * 1000).toPrecision(3))} ms` : `${Number(v.toPrecision(3))} s`),
  bytes: (v) => (v >= 2 ** 30 ? `${Number((v / 2 ** 30).toPrecision(3))} GiB` : `${Number((v / 2 ** 20).toPrecision(3))} MiB`),
  ratio: (v) => `${Number((v * 100).toPrecision(3))} %`,
  "1/s": (v) => `${Number(v.toPrecision(3))}/s`,
};
const told = (value, unit) => (value === null || value === undefined ? "–" : (UNITS[unit] ?? ((v) => `${Number(v.toPrecision(4))}`))(value));

// Lines over the time of the run; each has its newest value beside its name.
function chart(title, unit, lines) {
  const figure = document.createElement("figure"), caption = document.createElement("figcaption"), svg = document.createElementNS(SVG, "svg");
  const from = moments[0].t_s, span = Math.max(1, moments.at(-1).t_s - from);
  const top = Math.max(1e-9, ...lines.flatMap(([, values]) => values.filter((v) => v !== null && v !== undefined))) * 1.05;
  svg.setAttribute("viewBox", "0 0 1000 100");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `${title} until now`);
  caption.append(text("b", title), text("small", `up to ${told(top / 1.05, unit)}`));
  lines.forEach(([name, values], number) => {
    let d = "", joined = false;
    values.forEach((value, n) => {
      if (value === null || value === undefined) { joined = false; return; }
      d += `${joined ? "L" : "M"}${((moments[n].t_s - from) / span * 1000).toFixed(1)} ${(100 - value / top * 100).toFixed(1)}`;
      joined = true;
    });
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", d);
    path.setAttribute("class", `c${number + 1}`);
    svg.append(path);
    caption.append(text("span", `${name} ${told(values.at(-1), unit)}`, `c${number + 1}`));
  });
  figure.append(caption, svg);
  return figure;
}

function perSecond(of) {
  return moments.map((moment, n) => (n ? (of(moment) - of(moments[n - 1])) / Math.max(0.001, moment.t_s - moments[n - 1].t_s) : null));
}

function charts(run) {
  if (moments.length < 2) return [];
  const of = (name) => moments.map((moment) => moment[name]), sides = Object.keys(moments.at(-1).sides);
  const ofSides = (name) => sides.map((side) => [side, moments.map((moment) => moment.sides[side][name])]);
  const users = ofSides("working").filter(([side]) => run.callers[side] === undefined);
  const found = sides.length ? [
    ...(users.length ? [chart("users working", "count", users)] : []),
    chart("requests in flight", "count", ofSides("in_flight")),
    chart("completed", "1/s", sides.map((side) => [side, perSecond((moment) => moment.sides[side].completed)])),
    chart("duration, mean of those that just ended", "s", ofSides("mean_s")),
  ] : [
    chart("users", "count", [["asked for", of("target")], ["working", of("working")], ["requests in flight", of("in_flight")]]),
    chart("throughput", "1/s", [["completed", perSecond((moment) => moment.completed)], ["failed", perSecond((moment) => moment.failed)]]),
    chart("duration", "s", [["mean of those that just ended", of("mean_s")]]),
  ];
  const metrics = Object.keys(moments.at(-1).machines);
  for (const metric of FIRST) {
    const series = metrics.filter((name) => name === metric || name.startsWith(`${metric}{`)).slice(0, 4);
    if (series.length) found.push(chart(metric, run.units[metric] ?? "", series.map((name) => [name, moments.map((moment) => moment.machines[name])])));
  }
  return found;
}

function phases(run) {
  let began = run.load_began_s;
  return run.phases.map((phase) => {
    const item = text("li", `${phase.name} · ${phase.load}`);
    const ends = began === null || phase.length_s === null ? null : began + phase.length_s;
    const isNow = run.phase === phase.name && run.stage === "load";
    if (isNow) item.className = "now";
    else if (ends !== null && run.now_s >= ends) item.className = "past";
    if (isNow && ends !== null) item.textContent += ` · ${seconds(ends - run.now_s)} left`;
    if (isNow) item.setAttribute("aria-current", "step");
    began = ends;
    return item;
  });
}

// Users; or callers who come on a schedule, whose users are only hands.
function atWork(run, name, side) {
  return run.callers[name] ?? `${side.working} of ${side.target} users, ${side.in_flight} in flight`;
}

function numbers(run, last) {
  const sides = Object.entries(last.sides ?? {});
  const facts = {
    "time left": run.left_s === null ? "–" : seconds(run.left_s),
    ...(sides.length ? {} : { [run.callers[""] === undefined ? "users" : "callers"]: run.callers[""] ?? `${last.working} of ${last.target}` }),
    "in flight": last.in_flight, completed: last.completed, failed: last.failed,
    ...Object.fromEntries(sides.map(([name, side]) => [name, [atWork(run, name, side), `${side.completed} completed`, `${side.failed} failed`].filter(Boolean).join(", ")])),
    ...(last.left ? { "left by their listeners": last.left } : {}),
    ...run.latency,
  };
  return Object.entries(facts).map(([name, value]) => {
    const pair = document.createElement("div");
    pair.append(text("dt", name), text("dd", String(value)));
    return pair;
  });
}

function criterion(one) {
  const row = document.createElement("tr"), mark = document.createElement("td"), rule = document.createElement("td");
  const words = { pass: ["✓ holds", "pass"], fail: ["✗ does not", "fail"] }[one.result] ?? ["· open", "open"];
  mark.append(text("span", words[0], `badge ${words[1]}`));
  rule.append(text("code", one.rule));
  row.append(mark, text("td", one.must ? one.name : `${one.name} (reported only)`), text("td", one.observed), rule);
  return row;
}

function ended(one) {
  const item = document.createElement("li"), tone = { 0: "pass", 1: "fail" }[one.exit_code] ?? "open";
  item.append(text("b", `${one.name} `), text("span", one.word, `badge ${tone}`), ` ${one.text} `);
  if (one.report) {
    const link = text("a", "report");
    link.href = `scenario/${one.report}`;
    item.append(link);
  }
  return item;
}

function show(state) {
  by("start").hidden = state.running;
  by("stop").hidden = !state.running;
  by("ended").hidden = !state.finished.length;
  by("finished").replaceChildren(...state.finished.map(ended).reverse());
  const run = state.run;
  by("run").hidden = !run;
  if (!run) return;
  const last = moments.at(-1) ?? { working: 0, target: 0, in_flight: 0, completed: 0, failed: 0 };
  by("name").textContent = run.name;
  by("purpose").textContent = [run.purpose, run.host].filter(Boolean).join(" · ");
  by("stage").textContent = state.running ? (run.level || run.phase || run.stage) : (state.finished.at(-1)?.word ?? "ended");
  by("stage").className = `badge ${state.running ? "open" : ({ 0: "pass", 1: "fail" }[state.finished.at(-1)?.exit_code] ?? "open")}`;
  by("phases").replaceChildren(...phases(run));
  by("numbers").replaceChildren(...numbers(run, last));
  by("criteria").tBodies[0].replaceChildren(...run.criteria.map(criterion));
  by("errors").replaceChildren(...Object.entries(run.errors).map(([name, count]) => text("li", `${name} × ${count}`)));
  by("charts").replaceChildren(...charts(run));
}

function fillForm(form) {
  const choice = by("start").elements.scenario;
  if (choice.options.length) return;
  choice.replaceChildren(...["", ...form.scenarios].map((name) => new Option(name || "choose one", name)));
  if (form.scenario && !form.scenarios.includes(form.scenario)) choice.append(new Option(form.scenario, form.scenario));
  choice.value = form.scenario;
  by("start").elements.host.value = form.host;
}

async function look() {
  try {
    const after = moments.length ? moments.at(-1).number + 1 : 0;
    const state = await (await fetch(`scenario/state?after=${after}`)).json();
    failures = 0;
    fillForm(state.form);
    if (state.run?.number !== shownRun) {
      shownRun = state.run?.number;
      moments = [];
      if (after) return look(); // of another run than the one whose moments were asked for
    }
    moments.push(...(state.run?.moments ?? []));
    show(state);
  } catch (error) {
    failures += 1;
    if (failures > 2) by("stage").textContent = "no answer from genload: it has ended, or cannot be reached";
  }
}

by("start").addEventListener("submit", async (event) => {
  event.preventDefault();
  const fields = new FormData(event.target);
  for (const [name, value] of [...fields]) if (!value && name !== "scenario") fields.delete(name);
  const answer = await (await fetch("./swarm", { method: "POST", body: new URLSearchParams(fields) })).json();
  by("refused").textContent = answer.success ? "" : answer.message;
  if (answer.success) moments = [];
  await look();
});
by("stop").addEventListener("click", () => fetch("./stop"));
setInterval(look, 1000);
look();
