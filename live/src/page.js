// A page that can come alive: one bar, the page's own cells in order, Python in the background. See live/README.md.
import { Cell, el } from "./cells.js";
import { MEGABYTES, Python } from "./python.js";

const config = JSON.parse(document.getElementById("live-config").textContent);
const base = new URL(".", document.currentScript.src);
const url = (name) => new URL(name, base).href;
const mark = (name) => performance.mark(`live:${name}`);
const root = document.documentElement;
/** What readers see, in the page's language. */
const tell = (key, given = {}) => config.words[key].replace(/\{(\w+)\}/g, (_, name) => given[name]);
let cells = [], running = null, outputs = null, manager, later = Promise.resolve(), queue = Promise.resolve(), turn = 0, ran = false;
let note = ""; // what went wrong: it stands until something runs again

// ---- Python, for whoever asks: the cells below, and widgets by globalThis.livePage

const python = new Python({ ...config.files, base: base.href }, { hear, changed, tell });
globalThis.livePage = {
  get state() { return python.state; },
  get reason() { return python.reason; },
  warm: () => python.warm(),
  call: (...given) => python.call(...given),
};
function changed(state, reason) {
  root.dataset.python = state;
  mark(state);
  if (state === "idle" || state === "failed") forget(reason);
  document.dispatchEvent(new CustomEvent("live-state", { detail: state }));
  if (globalThis.livePage) draw(reason);
}
function forget(reason) { // what ran is gone, what was typed stays
  turn += 1;
  if (outputs?.length) running.show(outputs).catch(() => {}); // what it printed tells why it had to be stopped
  cells.forEach((cell) => cell.busy(false));
  running = outputs = manager = undefined;
  queue = later = Promise.resolve(); // whatever still waits, nobody waits for it
  if (root.dataset.live === "starting") root.dataset.live = python.state === "failed" ? "failed" : "off";
  if (ran && reason) note = tell("kept", { reason });
  ran = false;
  document.querySelectorAll(".live-widget").forEach((e) => { e.inert = true; });
}
function hear(message) {
  const now = turn;
  if (message.type === "output") {
    if (!outputs || message.cell !== running?.index) cells.find((c) => c.index === message.cell)?.add(message);
    else if (message.output_type === "clear") outputs.length = 0;
    else outputs.push(message);
  } else if (message.type.startsWith("comm_")) later = later.then(async () => now === turn && (await widgets()).receive(message)).catch((e) => { note = e.message; });
  else if (message.type === "idle") manager?.then((m) => m.idle(message.id), () => {});
  else if (message.type === "stored") root.dataset.snapshot = "stored";
  else if (message.type === "unstored") root.dataset.snapshot = "denied";
}
/** The widget manager, loaded when the first widget comes. */
function widgets() {
  return (manager ??= Promise.all([import(url("widgets.js")), style("widgets.css")])
    .then(([{ LiveManager }]) => new LiveManager((message, buffers) => python.ask({ ...message }, buffers).catch((e) => say(e.message))))
    .catch(() => { manager = undefined; throw new Error(tell("missing.widgets")); }));
}
function style(name) {
  const link = el("link", { rel: "stylesheet", href: url(name) });
  return new Promise((done) => { link.onload = link.onerror = done; document.head.append(link); });
}

// ---- the bar

const go = el("button", { type: "button", className: "live-go" });
const again = el("button", { type: "button", className: "live-again", textContent: tell("restart"), hidden: true });
const status = el("span", { className: "live-status", role: "status" });
const kept = document.querySelector(".live-bar"); // its place on a page whose code is to be seen: nothing moves when it comes
const bar = Object.assign(kept ?? el("div", { className: "live-bar" }), { role: "region", ariaLabel: tell("page") });
bar.append(go, again, status);
const open = kept !== null;
const say = (text) => { if (status.textContent !== text) status.textContent = text; };
const mine = () => cells.filter((c) => c.text !== c.source).length;

function draw(reason) {
  const { state } = python, busy = state === "starting" && root.dataset.live === "starting" || running;
  go.textContent = tell(busy ? "stop" : ran ? "page.again" : "page");
  go.disabled = state === "unavailable";
  again.hidden = !ran || Boolean(busy);
  if (running) say(tell("running", { n: running.number, all: cells.length }));
  else if (state === "unavailable" || state === "failed") say(tell("stored", { reason: reason || python.reason }));
  else if (note) say(note);
  else if (state === "starting") say(reason);
  else if (ran) say(tell("live"));
  else if (root.dataset.live === "off") say(reason || tell("stopped"));
  else say(tell(open ? "offer" : "offer.hidden", { mb: MEGABYTES }));
}

// ---- running

const page = { widgets, say, tell, stop, mount: (host) => globalThis[config.mount]?.(host), run: (cell) => { cell.busy(true); enqueue(() => runAlone(cell)); } };
const enqueue = (job) => { const now = turn; return (queue = queue.then(() => now === turn && job()).catch((error) => now === turn && trouble(error))); };
function trouble(error) {
  running?.busy(false);
  running = outputs = null;
  if (error.message !== tell("gone")) note = error.message;
  draw();
}

/** Runs a cell with the text that it now has. */
async function run(cell) {
  const now = turn, still = () => { if (now !== turn) throw new Error(tell("gone")); };
  running = cell;
  outputs = [];
  cell.busy(true);
  draw();
  await python.ask({ type: "execute", cell: cell.index, code: cell.text });
  const shown = outputs;
  outputs = null;
  await later; // widgets that this cell made
  still();
  await cell.show(shown);
  still();
  cell.busy(false);
  running = null;
  return shown.every((output) => output.output_type !== "error");
}
async function runAlone(cell) {
  const whole = ran;
  note = "";
  if (!ran) { await python.start(); ran = true; }
  const well = await run(cell);
  cell.dom.querySelector(":scope > details")?.setAttribute("open", "");
  draw();
  if (!well && !whole) say(tell("new.cells"));
}
async function runAll() {
  root.dataset.live = "starting";
  note = "";
  mark("click");
  draw();
  const now = turn;
  try {
    await Promise.all([python.start(), load()]);
    if (now !== turn) return;
    ran = true;
    for (const cell of cells) {
      const well = await run(cell);
      mark(`cell-${cell.index}`);
      if (!well && !cell.tags.includes("raises-exception")) {
        root.dataset.live = "on";
        mark("live");
        draw();
        return say(tell("failed", { n: cell.number }));
      }
    }
    root.dataset.live = "on";
    mark("live");
  } catch (error) {
    if (now === turn) root.dataset.live = "off";
    if (error.message !== tell("gone")) throw error;
  } finally { draw(); }
}
function stop() {
  note = "";
  root.dataset.live = "off";
  python.stop();
}

/** The sources, and what the reader made of them the last time. */
let loading;
function load() {
  return (loading ??= fetch(new URL(config.cells, document.baseURI)).then(async (answer) => {
    if (!answer.ok) throw new Error(tell("missing.code"));
    cells = (await answer.json()).map((given, n) => new Cell({ ...given, number: n + 1 }, page));
    cells.forEach((cell) => cell.open());
  }).catch((error) => { loading = undefined; throw error; }));
}

if (config.cells) {
  document.querySelectorAll(".cell summary[aria-label]").forEach((e) => e.removeAttribute("aria-label")); // it hides the words that are there
  const title = document.querySelector("article.bd-article h1") ?? document.querySelector("h1");
  if (!open) title?.parentElement.append(bar); // a page that hides its code is not about it
  go.onclick = (e) => e.detail > 1 || (running || root.dataset.live === "starting" ? stop() : enqueue(runAll));
  again.onclick = () => { stop(); note = tell("new"); python.warm(); };
  // a mouse that rests on the button is reason enough to begin; never a passing one, a finger or the Tab key
  let dwell;
  go.onpointerenter = (e) => { if (e.pointerType === "mouse" && !navigator.connection?.saveData) dwell = setTimeout(python.warm.bind(python), 150); };
  go.onpointerleave = () => clearTimeout(dwell);
  draw();
  if (Object.keys(safe(() => localStorage) ?? {}).some((key) => key.startsWith(`live:${location.pathname}:`)) && python.state !== "unavailable") {
    load().then(() => mine() && say(tell(mine() === 1 ? "again.one" : "again", { n: mine() })), trouble);
  }
}
function safe(f) { try { return f(); } catch { return undefined; } }
