// Python, off the page's own thread. No special headers needed: postMessage only.
const here = new URL(".", self.location.href);
const asset = (name) => new URL(name, here).href;
const say = (message, buffers = []) => self.postMessage({ ...message, buffers }, buffers);
let kernel, keep, queue = Promise.resolve();

// A cell that takes ever more gets a MemoryError, long before the tab dies, or Pyodide errs (from 2 GB on it does).
const MOST = 2 ** 30, { grow } = WebAssembly.Memory.prototype;
WebAssembly.Memory.prototype.grow = function (pages) {
  if (this.buffer.byteLength + pages * 65536 > MOST) throw new RangeError("a page may take no more memory");
  return grow.call(this, pages);
};

// What start-up leaves in memory is kept in the reader's own browser: the second chapter, or the second
// visit, starts from it in a fraction of the time. Nothing more is downloaded. Any trouble means a plain start.
const SHELF = `live-python ${here.pathname}`; // other sites may live under the same origin
async function stored(key) {
  try {
    const hit = await (await caches.open(SHELF)).match(key);
    return hit && new Uint8Array(await hit.arrayBuffer());
  } catch { return undefined; }
}
async function store(key, bytes) {
  try {
    const shelf = await caches.open(SHELF);
    for (const old of await shelf.keys()) if (old.url !== key) await shelf.delete(old); // one version only
    await shelf.put(key, new Response(bytes));
    say({ type: "stored", bytes: bytes.length });
  } catch (e) { say({ type: "unstored", text: String(e?.message ?? e) }); }
}

// Pyodide restores a snapshot into the memory that the module starts with: make that large enough.
function growTo(size) {
  const real = WebAssembly.instantiateStreaming;
  WebAssembly.instantiateStreaming = async (...args) => {
    WebAssembly.instantiateStreaming = real;
    const made = await real(...args);
    const { memory } = made.instance.exports;
    const pages = Math.ceil((size - memory.buffer.byteLength) / 65536);
    if (pages > 0) memory.grow(pages);
    return made;
  };
}

/** While Python starts: counts what arrives, for whoever waits on a slow line, and tells of what does not come. */
function watchStart() {
  const real = self.fetch;
  const lost = (e) => say({ type: "broken", text: String(e.reason?.message ?? e.reason) }); // Pyodide itself may wait for ever
  self.addEventListener("unhandledrejection", lost);
  let got = 0, told = 0;
  self.fetch = async (...args) => {
    const name = String(args[0]?.url ?? args[0]).split("/").pop();
    const answer = await real(...args).catch((e) => ({ ok: false, status: e.message }));
    if (!answer.ok) {
      say({ type: "broken", text: `${name} is missing (${answer.status})` }); // Pyodide itself may wait for ever
      throw new Error(`${name} is missing`);
    }
    const counter = new TransformStream({ transform(chunk, out) {
      got += chunk.length;
      if (got - told > 250_000) say({ type: "progress", name: "fetched", bytes: told = got });
      out.enqueue(chunk);
    } });
    return new Response(answer.body.pipeThrough(counter), { status: answer.status, headers: answer.headers });
  };
  return () => { self.fetch = real; self.removeEventListener("unhandledrejection", lost); }; // a cell's own promise may fail
}

async function boot({ site, key, preload, folder, snapshot }, step) {
  const { loadPyodide } = await import(asset("pyodide/pyodide.mjs"));
  const packages = fetch(asset(site)).then((r) => new Response(r.body.pipeThrough(new DecompressionStream("gzip"))).json());
  packages.catch(() => {}); // told below, where it is awaited
  const indexURL = asset("pyodide/"), name = asset(`snapshot-${key}`);
  const memory = snapshot && await stored(name);
  const unpack = async (py) => {
    for (const [name, text] of Object.entries(await packages)) {
      py.FS.mkdirTree(`/lib/site/${name}`.replace(/\/[^/]*$/, ""));
      py.FS.writeFile(`/lib/site/${name}`, text);
    }
    if (!memory) py.runPython("import sys; sys.path.insert(0, '/lib/site'); import livekernel, asyncio");
  };
  if (memory) {
    try {
      growTo(memory.length);
      const py = await loadPyodide({ indexURL, _loadSnapshot: memory });
      await unpack(py);
      step("snapshot");
      return { py };
    } catch (e) {
      console.warn("The stored memory is of no use", e);
      await caches.delete(SHELF);
      return boot({ site, key, preload, folder, snapshot }, step);
    }
  }
  const py = await loadPyodide({ indexURL, _makeSnapshot: snapshot });
  step("python");
  await unpack(py);
  for (const module of preload) py.runPython(`import ${module}`);
  let bytes;
  if (snapshot) try { bytes = py.makeMemorySnapshot(); } catch (e) { console.warn("No snapshot", e); }
  return { py, keep: bytes && (() => store(name, bytes)) };
}

async function start({ files }) {
  const started = watchStart();
  globalThis.liveSay = (json, buffers) => say(JSON.parse(json), buffers.map((b) => b.slice().buffer));
  const made = await boot(files, (name) => say({ type: "progress", name }));
  started();
  keep = made.keep;
  kernel = made.py.pyimport("livekernel");
  kernel.wake(`/lib/site/${files.folder}`);
}

async function handle({ data }) {
  const { type, id } = data;
  let text, fault;
  try {
    if (type === "start") await start(data);
    else if (type === "keep") { await keep?.(); keep = undefined; }
    else if (type === "execute") await kernel.execute(data.cell, data.code);
    else if (type === "call") [text, fault] = kernel.call(data.target, data.texts).toJs();
    else kernel.on_comm(JSON.stringify({ ...data, buffers: undefined }), data.buffers ?? []);
  } catch (e) {
    fault = String(e?.message ?? e).trim().split("\n").at(-1) || "no reason given";
    if (e?.name !== "PythonError" && type !== "start") say({ type: "broken", text: fault }); // the interpreter itself is done for
  }
  say({ type: "idle", id, text, fault });
}
self.onmessage = (event) => { queue = queue.then(() => handle(event)); };
