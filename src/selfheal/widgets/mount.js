// The page's own model: what anywidget is beside a kernel, in a few lines. It draws the monitors that `load.js` hands
// over, and finds who can answer their questions. A provider takes a question and gives a text: the same bytes,
// whoever it is. The bank gives null for what it does not hold; whoever cannot answer at all says so in words.

const here = new URL(document.currentScript.src);

/** FNV-1a, twice 32 bits: the name of a question in a bank. */
function key(text) {
  const bytes = new TextEncoder().encode(text);
  const hash = (state) => { for (const byte of bytes) state = Math.imul(state ^ byte, 0x01000193); return (state >>> 0).toString(16).padStart(8, "0"); };
  return hash(0x811c9dc5) + hash(0x01234567);
}

/** A bank beside the page. Rejects if it is missing or damaged. */
const opened = new Map();
function open(name) {
  if (!opened.has(name)) opened.set(name, fetched(name));
  return opened.get(name);
}
async function fetched(name) {
  await new Promise((resolve, reject) => { // a classic script, since a page from disk may load nothing else
    const script = document.createElement("script"), src = new URL(`banks/${name}.js${here.search}`, here).href;
    Object.assign(script, { src, onload: resolve, onerror: () => reject(new Error(`${src} is missing`)) });
    document.head.append(script);
  });
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
  return { timeline, why };
}

const providers = {
  async bank(text, name) {
    const bank = await open(name), found = bank.answers[key(text)];
    return found ? JSON.stringify({ answer: unpack(bank, found) }) : null;
  },
  async python(text, words = wordsFor(document.documentElement), ...language) {
    const { livePage } = globalThis, ask = () => livePage.call("selfheal.widgets.answers:respond_text", text, ...language);
    const cannot = (reason) => new Error(words["needs"].replace("{reason}", () => reason.replace(/[^.!?]$/, "$&.")));
    if (!livePage || livePage.state === "unavailable") throw cannot(livePage?.reason || words["needs.online"]);
    try { // a worker that crashed starts anew, and is asked once more
      return await ask().catch((error) => { if (livePage.state !== "starting") throw error; return ask(); });
    } catch (error) {
      throw cannot(livePage.reason || error.message);
    }
  },
};

/** Draws a monitor in its place; gives what takes it away. `stored`: whether the site has a bank for it. */
function mount(place, stored) {
  const words = wordsFor(place);
  const data = JSON.parse(place.querySelector('script[type="application/json"]').textContent), name = place.dataset.bank;
  let missing = false;
  const values = {
    data, words, css,
    get waits() { return globalThis.livePage?.state === "starting" ? `${words["asking"]} ${globalThis.livePage.reason}` : words["asking"]; },
    get note() { return missing ? words["bank.missing"] : null; },
  };
  const model = {
    get: (name) => values[name], set() {}, save_changes() {}, send() {},
    on(event, heard) { if (event === "change:waits") document.addEventListener("live-state", heard); },
    off(event, heard) { document.removeEventListener("live-state", heard); },
    async ask(text) {
      let found = null;
      if (stored || opened.has(name)) found = await providers.bank(text, name).catch(() => { missing = true; return null; });
      return found ?? providers.python(text, words, ...(data.language ? [data.language] : []));
    },
  };
  const el = document.createElement("div");
  place.replaceChildren(el);
  const grown = new ResizeObserver(() => { // the page keeps the place until then
    if (el.offsetHeight < 300) return;
    place.dataset.drawn = "";
    grown.disconnect();
  });
  grown.observe(el);
  return monitor.render({ model, el });
}

globalThis.selfhealMonitors = { mount, providers };
