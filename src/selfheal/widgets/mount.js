// The page's own model: what anywidget is beside a kernel, in a few lines. Finds each monitor that a chapter
// stores, draws it when the reader comes near, and answers its questions from the bank that lies beside the page.

const here = document.currentScript?.src ?? "";

/** A classic script, since a page from disk may load nothing else. */
const load = (src) => new Promise((resolve, reject) => {
  const script = document.createElement("script");
  Object.assign(script, { src, onload: resolve, onerror: () => reject(new Error(`${src} is missing`)) });
  document.head.append(script);
});

/** FNV-1a, twice 32 bits: the name of a question in a bank. */
function key(text) {
  const bytes = new TextEncoder().encode(text);
  const hash = (state) => { for (const byte of bytes) state = Math.imul(state ^ byte, 0x01000193); return (state >>> 0).toString(16).padStart(8, "0"); };
  return hash(0x811c9dc5) + hash(0x01234567);
}

const opened = new Map();
async function open(name) {
  if (!globalThis.selfhealBanks?.[name]) await load(new URL(`banks/${name}.js`, here).href);
  const bytes = Uint8Array.from(atob(globalThis.selfhealBanks[name]), (letter) => letter.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).json();
}
/** An answer as it was packed: see selfheal.widgets.bank. */
function unpack(bank, [header, pairs, whys]) {
  const timeline = [bank.headers[header]], why = {};
  const times = [];
  for (let i = 0; i < pairs.length; i += 2) times.push((times.at(-1) ?? 0) + pairs[i]);
  times.forEach((moment, id) => {
    timeline.push({ t: moment / 1000, ...bank.bodies[pairs[2 * id + 1]], id });
    const nodes = [];
    for (let chain = whys[2 * id]; chain; chain = nodes[0][0]) nodes.unshift(bank.chains[chain]);
    let anchor = whys[2 * id + 1], place = id, now = moment;
    const steps = nodes.map(([, step, gap]) => {
      if (gap === 0 && anchor !== null) [gap, anchor] = [Array.isArray(anchor) ? [-anchor[0]] : -anchor, null];
      if (Array.isArray(gap)) { now += gap[0]; place = times.findIndex((one) => one >= now); if (place < 0) place = times.length; }
      else if (gap !== null) { place += gap; now = times[place]; }
      const [text, source, fn] = bank.steps[step];
      return { t: gap === null ? null : now / 1000, text, source, function: fn };
    });
    if (steps.length) why[id] = steps;
  });
  return { timeline, why, by: "bank" };
}
async function ask(name, text) {
  if (!opened.has(name)) opened.set(name, open(name));
  const bank = await opened.get(name), found = bank.answers[key(text)];
  if (found) return unpack(bank, found);
  for (const other of globalThis.selfhealAnswerers ?? []) { // Python in the page, say
    const answer = await other(text);
    if (answer) return answer;
  }
  return null;
}

globalThis.selfhealAsk = ask; // for whoever wants an answer without a widget

function mount(place) {
  const data = JSON.parse(place.querySelector('script[type="application/json"]').textContent);
  const values = { data, words, css };
  const model = { get: (name) => values[name], set() {}, save_changes() {}, on() {}, off() {}, send() {}, ask: (text) => ask(place.dataset.bank, text) };
  const el = document.createElement("div");
  const cell = place.closest(".output");
  // Themes give outputs a light ground in the dark, and a box of their own in which the bar could not stay in sight.
  if (cell) Object.assign(cell.style, { overflow: "visible", background: "none", padding: "0" });
  place.replaceChildren(el);
  monitor.render({ model, el });
}
const near = new IntersectionObserver((entries) => {
  for (const entry of entries) if (entry.isIntersecting) { near.unobserve(entry.target); mount(entry.target); }
}, { rootMargin: "600px" });
const find = () => document.querySelectorAll(".selfheal-monitor[data-bank]").forEach((place) => near.observe(place));
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", find);
else find();
