// All that a page with monitors loads at first. The rest, and a monitor's bank, come when the reader comes near or
// touches its place; until then the stored picture stands there, as it does for readers without scripts.

const here = document.currentScript.src;
const known = new Set(); // banks that the site has: a scenario that a reader changes in the page has none
const drawn = new Map();

let code;
const bring = () => (code ??= new Promise((resolve, reject) => {
  const script = document.createElement("script"); // a classic one, since a page from disk may load nothing else
  Object.assign(script, { src: new URL(`widgets.js?v=${version}`, here).href, onload: resolve, onerror: reject });
  document.head.append(script);
}).catch((error) => { code = undefined; throw error; })); // the next touch tries again

async function draw(place) {
  near.unobserve(place);
  if (drawn.has(place)) return;
  try {
    if (!globalThis.selfhealMonitors) await bring();
  } catch {
    if (!place.querySelector(":scope > [role=alert]")) {
      place.prepend(Object.assign(document.createElement("p"), { role: "alert", textContent: wordsFor(place)["load.failed"] }));
    }
    return;
  }
  if (!drawn.has(place)) drawn.set(place, globalThis.selfhealMonitors.mount(place, known.has(place.dataset.bank)));
}
const near = new IntersectionObserver((entries) => {
  for (const entry of entries) if (entry.isIntersecting) draw(entry.target);
}, { rootMargin: "600px" });

/** Python begins to start when a reader first does something with a monitor. Tab only passes by. */
function touched(event) {
  if (event.key === "Tab" || event.key === "Shift") return;
  globalThis.livePage?.warm();
  draw(event.currentTarget);
}

/** Monitors in `root`: those on the page, and those in the outputs of a cell that was run there. */
globalThis.selfhealMount = (root) => {
  for (const [place, end] of drawn) if (!place.isConnected) { end(); drawn.delete(place); }
  for (const place of [root, ...root.querySelectorAll(".selfheal-monitor[data-bank]")]) {
    if (drawn.has(place) || !place.matches?.(".selfheal-monitor[data-bank]")) continue;
    const cell = place.closest(".output");
    // Themes give outputs a light ground in the dark, and a box of their own in which the bar could not stay in sight.
    if (cell) Object.assign(cell.style, { overflow: "visible", background: "none", padding: "0" });
    for (const kind of ["pointerdown", "keydown", "click"]) place.addEventListener(kind, touched, true);
    if (globalThis.selfhealMonitors) draw(place);
    else near.observe(place);
  }
};
const first = () => {
  for (const place of document.querySelectorAll(".selfheal-monitor[data-bank]")) known.add(place.dataset.bank);
  globalThis.selfhealMount(document);
};
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", first);
else first();
