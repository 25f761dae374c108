(() => {
"use strict";
// The figures of selfheal.lessons.timing on a page: controls, and the same three models and the same drawing as there.
// A test draws both and compares them to the letter.

const TOP = 6, LANE = 46, EDGE = 12;
const number = (value) => String(Math.floor(value * 10 + 0.5) / 10);
const fill = (text, values) => Object.entries(values).reduce(
  (told, [key, value]) => told.replaceAll(`{${key}}`, typeof value === "string" ? value : number(value)), text);
const escape = (text) => text.replace(/[&<>"']/g, (c) => `&${{ "&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "#x27" }[c]};`);
const lane = (name, more) => ({ name, bars: [], marks: [], flags: [], ...more });

const models = {
  first(v, words) {
    const say = words.first, { starts, loads, startup, period } = v;
    const until = starts + v.delay + Math.max(loads, 0) + 3 * period + startup;
    const ticks = [];
    let begun = starts;
    for (let n = 1; startup && n * startup <= until; n++) {
      const t = n * startup;
      if (t <= starts) continue;
      ticks.push([t, t - starts >= loads ? "pass" : "fail"]);
      begun = t;
      if (t - starts >= loads) break;
    }
    const asked = (fraction) => {
      for (let n = 1; n * period <= until; n++) {
        const t = n * period, old = t > starts && Math.floor(t - starts + fraction + 1e-9) >= v.delay;
        if (old && (!startup || t > begun)) return t;
      }
      return null;
    };
    const found = asked(v.fraction), end = Math.min(until, (found ?? until) + 2 * period), marks = [];
    for (let n = 1; n * period <= end; n++) {
      const t = n * period;
      marks.push([t, found === null || t < found ? "skip" : t - starts < loads ? "fail" : "pass"]);
    }
    const told = [found === null ? fill(say.none, { until }) : fill(say.asked, { t: found, age: found - starts })];
    if (startup) told.push(fill(say.started, { t: begun }));
    const other = [asked(0), asked(0.9)].find((t) => t !== null && t !== found);
    if (other !== undefined && found !== null) told.push(fill(say.edge, { other }));
    const container = lane(words.lanes.container, { bars: [[starts, end, "run"]] });
    if (v.delay) container.bars.push([starts, Math.min(end, starts + v.delay), "wait"]);
    const lanes = [container];
    if (loads) lanes.push(lane(words.lanes.app, { bars: [[starts, Math.min(end, starts + loads), "sick"]] }));
    if (startup) lanes.push(lane(words.lanes.startup, { marks: ticks.filter(([t]) => t <= end) }));
    const flags = found === null ? [] : [[found, fill(words.seconds, { n: found })]];
    lanes.push(lane(words.lanes.liveness, { marks, flags }));
    return { since: 0, until: end, lanes, says: told, answer: found };
  },
  calculator(v, words) {
    const say = words.calculator, { period, threshold } = v, takes = v.hangs ? v.timeout : 0;
    const every = Math.max(period, takes), verdict = (after) => after + (threshold - 1) * every + takes;
    const mine = period - Math.min(v.fault, period), best = verdict(0), worst = verdict(period);
    const lanes = [["best", 0], ["yours", mine], ["worst", period]].map(([name, after]) => {
      const end = verdict(after);
      const one = lane(words.lanes[name], { bars: [[0, end, "sick"]], flags: [[end, fill(say.verdict, { t: end })]] });
      if (after - period < 0) one.marks.push([after - period, "pass"]);
      for (let n = 0; n < threshold; n++) {
        const began = after + n * every;
        if (takes) one.bars.push([began, began + takes, "wait"]);
        one.marks.push([began + takes, "fail"]);
      }
      return one;
    });
    const told = [fill(say.says, { best, mean: (best + worst) / 2, worst, yours: verdict(mine) })];
    const kept = (threshold - 1) * every;
    told.push(kept ? fill(say.forgives, { forgives: kept }) : say["forgives.none"]);
    if (takes > period) told.push(fill(say.slow, { timeout: takes }));
    return { since: -period, until: worst, lanes, says: told };
  },
  sampler(v, words) {
    const say = words.sampler, { period, threshold, begins, lasts } = v, marks = [];
    const until = Math.max(60, begins + lasts + 2 * period);
    let run = 0, verdict = null;
    for (let n = 1; n * period <= until; n++) {
      const t = n * period, ill = begins <= t && t < begins + lasts;
      marks.push([t, ill ? "fail" : "pass"]);
      run += ill;
      if (run === threshold) { verdict = t; break; }
    }
    const key = !run ? "says.seen.none" : run === 1 ? "says.seen.one" : "says.seen";
    const ended = verdict === null ? say["verdict.none"] : fill(say.verdict, { t: verdict - begins });
    const blind = Math.floor(Math.max(0, 1 - lasts / period) * 100 + 0.5);
    const found = Math.floor(Math.min(1, Math.max(0, (lasts - (threshold - 1) * period) / period)) * 100 + 0.5);
    const chances = fill(say.chances, { blind, found, forgiven: 100 - blind - found });
    const flags = verdict === null ? [] : [[verdict, fill(words.seconds, { n: verdict })]];
    const app = [[0, begins, "ok"], [begins, begins + lasts, "sick"], [begins + lasts, until, "ok"]];
    return {
      since: 0, until, lanes: [lane(words.lanes.app, { bars: app }), lane(words.lanes.probe, { marks, flags })],
      says: [fill(say.says, { lasts, seen: fill(say[key], { n: run }), verdict: ended }), chances],
    };
  },
};

function svg(figure, name, width) {
  const height = TOP + LANE * figure.lanes.length + 26, bottom = TOP + LANE * figure.lanes.length;
  const span = figure.until - figure.since, scale = (width - 2 * EDGE) / span;
  const x = (t) => EDGE + (t - figure.since) * scale, hatch = `timing-${name}`;
  const parts = [`<defs><pattern id="${hatch}" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path class="hatch" d="M0 0V6"/></pattern></defs>`];
  const most = width < 480 ? 5 : 9, step = [1, 2, 5, 10, 20, 30, 60, 120, 300].find((s) => span / s <= most) ?? 600;
  for (let t = Math.ceil(figure.since / step) * step; t <= figure.until; t += step) {
    const at = number(x(t));
    parts.push(`<path class="grid" d="M${at} ${TOP + 12}V${bottom}"/>`);
    parts.push(`<text class="axis" x="${at}" y="${bottom + 16}" text-anchor="middle">${number(t)}</text>`);
  }
  figure.lanes.forEach((one, n) => {
    const y = TOP + LANE * n + 28;
    parts.push(`<text class="name" x="${EDGE}" y="${y - 14}">${escape(one.name)}</text>`);
    parts.push(`<path class="base" d="M${EDGE} ${y}H${width - EDGE}"/>`);
    for (const [begin, end, kind] of one.bars) {
      const left = Math.max(x(begin), EDGE);
      const box = `x="${number(left)}" y="${y - 8}" width="${number(Math.max(x(end) - left, 0.5))}" height="16"`;
      parts.push(`<rect class="${kind}" ${box}/>`);
      if (kind === "sick") parts.push(`<rect fill="url(#${hatch})" ${box}/>`);
    }
    const gaps = one.marks.slice(1).map(([t], i) => t - one.marks[i][0]);
    const r = (gaps.length ? Math.min(...gaps) : span) * scale > 13 ? 5 : 2;
    for (const [t, kind] of one.marks) {
      if (kind === "fail") parts.push(`<path class="fail" d="M${number(x(t) - r)} ${y - r}l${2 * r} ${2 * r}m0 ${-2 * r}l${-2 * r} ${2 * r}"/>`);
      else parts.push(`<circle class="${kind}" cx="${number(x(t))}" cy="${y}" r="${r}"/>`);
    }
    for (const [t, text] of one.flags) {
      const late = x(t) > width - 70;
      parts.push(`<text class="flag" x="${number(x(t) + (late ? 4 : -4))}" y="${y - 13}" text-anchor="${late ? "end" : "start"}">${escape(text)}</text>`);
    }
  });
  if (figure.mine !== undefined && figure.mine <= figure.until) parts.push(`<path class="mine" d="M${number(x(figure.mine))} ${TOP}V${bottom}"/>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escape(figure.says.join(" "))}">${parts.join("")}</svg>`;
}

/** Controls in a figure's place. A figure that asks for a prediction shows nothing before the reader wants to see it. */
function mount(place) {
  const { kind, values, knobs, words } = JSON.parse(place.querySelector("script").textContent);
  const figure = place.querySelector(".drawing"), says = place.querySelector(".says"), form = document.createElement("form");
  const asks = "mine" in knobs;
  let shown = !asks;
  if (asks) values.mine = 0;
  const format = (name) => fill(name === "threshold" ? words.count : words.seconds, { n: values[name] });
  const draw = () => {
    const told = models[kind](values, words), lines = [...told.says];
    figure.hidden = says.hidden = !shown;
    if (!shown) return;
    if (asks) {
      told.mine = values.mine;
      const off = Math.abs(values.mine - (told.answer ?? Infinity));
      if (told.answer !== null) lines.unshift(fill(off <= 0.5 ? words[kind].hit : words[kind].missed, { mine: values.mine, off }));
    }
    const name = [kind, ...Object.entries(values).filter(([key]) => key !== "mine").map(([, value]) => number(value))].join("-");
    figure.innerHTML = svg(told, name, Math.max(280, Math.min(760, Math.round(place.clientWidth - 26) || 640)));
    says.replaceChildren(...lines.map((line) => Object.assign(document.createElement("p"), { textContent: line })));
  };
  for (const [name, [min, max, step]] of Object.entries(knobs)) {
    const label = document.createElement("label"), head = document.createElement("span"), out = document.createElement("output");
    const yes = min === 0 && max === 1 && step === 1; // yes or no
    const input = Object.assign(document.createElement("input"), yes ? { type: "checkbox", name } : { type: "range", name, min, max, step });
    if (yes) input.checked = values[name] === 1;
    else input.value = values[name];
    if (name === "mine") label.className = "mine-knob";
    const tell = () => { if (!yes) { out.textContent = format(name); input.setAttribute("aria-valuetext", out.textContent); } };
    input.addEventListener("input", () => { values[name] = yes ? Number(input.checked) : Number(input.value); tell(); draw(); });
    head.append(words.labels[name], yes ? input : out);
    label.append(head);
    if (!yes) label.append(input);
    form.append(label);
    tell();
  }
  form.addEventListener("submit", (event) => { event.preventDefault(); shown = true; draw(); form.querySelector("button")?.remove(); });
  if (asks) form.append(Object.assign(document.createElement("button"), { textContent: words.show }));
  says.setAttribute("role", "status");
  figure.before(form);
  place.classList.add("living");
  draw();
  new ResizeObserver(() => draw()).observe(place);
}

const ready = () => { for (const place of document.querySelectorAll(".selfheal-timing:not(.living)")) mount(place); };
globalThis.selfhealTiming = { models, svg, ready };
const begin = () => { ready(); new MutationObserver(ready).observe(document.body, { childList: true, subtree: true }); }; // a cell that runs again
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
else begin();

})();
