// Python, seen from the page: one worker, started when first needed, dropped when it must stop.

export const MEGABYTES = 7; // what a first start fetches

export class Python {
  state = "idle"; // starting, ready, failed, unavailable
  reason = "";
  #worker; #starting; #fail; #count = 0;
  #waiting = new Map();

  /** files: what the worker loads, and where from. hear: gets what Python says. changed: is told of each new state. tell: words. */
  constructor(files, { hear, changed, tell }) { Object.assign(this, { files, hear, changed, tell }); this.#look(); }

  #look() {
    const problem = obstacle();
    if (problem) this.#set("unavailable", this.tell(problem));
    return problem;
  }
  #set(state, reason = "") {
    this.state = state;
    this.reason = reason;
    this.changed(state, reason);
  }

  /** Starts in the background what somebody will soon need. */
  warm() { if (this.state === "idle") this.start().catch(() => {}); }

  /** Resolves when Python is there; the same promise for everyone who asks. */
  start() {
    if (this.#look()) return Promise.reject(new Error(this.reason));
    return (this.#starting ??= this.#boot());
  }
  async #boot() {
    this.#set("starting", this.tell("fetching", { mb: MEGABYTES }));
    const worker = this.#worker = new Worker(new URL("worker.js", this.files.base), { type: "module" });
    const broken = new Promise((_, no) => { this.#fail = no; });
    worker.onmessage = ({ data }) => worker === this.#worker && this.#hear(data);
    worker.onerror = (e) => this.#broken(e.message || this.tell("missing.script"));
    try {
      await Promise.race([broken, this.ask({ type: "start", files: { ...this.files, base: undefined } })]);
    } catch (e) {
      if (worker === this.#worker) { this.drop(); this.#set("failed", this.tell("start.failed", { error: e.message })); }
      throw e;
    }
    if (worker !== this.#worker) throw new Error(this.tell("gone"));
    this.#set("ready");
    setTimeout(() => worker === this.#worker && worker.postMessage({ type: "keep" }), 1000);
  }

  #hear(message) {
    if (message.type === "idle") {
      const { yes, no } = this.#waiting.get(message.id) ?? {};
      this.#waiting.delete(message.id);
      if (message.fault) no?.(new Error(message.fault)); else yes?.(message.text);
      this.hear(message);
    } else if (message.type === "broken") this.#broken(message.text);
    else if (message.type === "progress" && this.state === "starting") {
      this.#set("starting", message.name === "fetched" ? this.tell("fetched", { mb: (message.bytes / 1e6).toFixed(1) }) : this.tell("loading"));
    } else this.hear(message);
  }
  #broken(text) {
    if (this.state === "starting") return this.#fail(new Error(text));
    this.drop();
    this.#set("idle", this.tell("crashed", { error: text }));
    this.warm();
  }

  /** Says something to the worker; resolves when it is done, with the text that came of it. */
  ask(message, buffers = []) {
    const id = message.id ?? `p${++this.#count}`;
    return new Promise((yes, no) => {
      if (!this.#worker) return no(new Error(this.tell("gone")));
      this.#waiting.set(id, { yes, no });
      this.#worker.postMessage({ ...message, id, buffers });
    });
  }
  /** `module:function` in Python, with texts; gives a text. */
  async call(target, ...texts) {
    await this.start();
    return this.ask({ type: "call", target, texts });
  }
  /** The page was never blocked: Python is simply dropped, whatever it was doing. */
  drop() {
    this.#worker?.terminate();
    this.#worker = this.#starting = undefined;
    for (const { no } of this.#waiting.values()) no(new Error(this.tell("gone")));
    this.#waiting.clear();
  }
  stop() {
    this.drop();
    if (this.state !== "unavailable") this.#set("idle");
  }
}

/** Why there can be no Python here, as a key of words; nothing if there can. */
function obstacle() {
  if (!location.protocol.startsWith("http")) return "no.site";
  if (typeof WebAssembly !== "object" || typeof Worker !== "function") return "no.wasm";
  if (navigator.deviceMemory < 2) return "no.memory";
  return "";
}
