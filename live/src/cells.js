// The page's own code cells: their text can be changed where it stands, their outputs change where they stood.
import { renderOutput } from "./outputs.js";

export const el = (tag, props = {}, ...kids) => { const e = Object.assign(document.createElement(tag), props); e.append(...kids); return e; };

/** What the reader typed, in this browser only. A browser that keeps nothing costs nothing but that. */
const shelf = {
  name: (cell) => `live:${location.pathname}:${cell.key}`,
  get(cell) { try { return localStorage.getItem(this.name(cell)); } catch { return null; } },
  set(cell, text) {
    try {
      if (text === null) localStorage.removeItem(this.name(cell)); else localStorage.setItem(this.name(cell), text);
      return true;
    } catch { return false; }
  },
};

export class Cell {
  /** given: {index, key, source}. page: {run(cell), say(text), mount, widgets}. */
  constructor(given, page) {
    Object.assign(this, given, { page });
    this.dom = document.getElementById(`live-cell-${this.index}`);
    this.pre = this.dom?.querySelector(".cell_input pre");
    this.text = (this.pre && shelf.get(this)) ?? this.source;
  }
  get host() { return this.dom?.querySelector(":scope > .cell_output, :scope > details > .cell_output"); }

  /** Opens the cell for changes. Its colours stay until a line is touched. */
  open() {
    if (!this.pre || this.tools) return;
    const { pre } = this;
    this.static = pre.innerHTML;
    pre.contentEditable = "plaintext-only";
    if (pre.contentEditable !== "plaintext-only") pre.contentEditable = "true";
    Object.assign(pre, { spellcheck: false, role: "textbox", ariaMultiLine: "true", ariaLabel: `Code of cell ${this.number}. Shift and Enter run it, Escape leaves it.` });
    pre.classList.add("live-code");
    const button = (name, label, onclick) => el("button", { type: "button", className: `live-${name}`, textContent: label, ariaLabel: `${label} cell ${this.number}`, onclick });
    const run = button("run", "Run", () => this.page.run(this));
    this.reset = button("reset", "Reset", () => { this.write(this.source); pre.focus(); });
    this.tools = el("div", { className: "live-tools" }, run, this.reset);
    pre.closest(".cell_input").append(this.tools);
    pre.oninput = () => this.read();
    pre.onkeydown = (e) => {
      if (e.key === "Enter" && e.shiftKey) { e.preventDefault(); run.click(); }
      else if (e.key === "Escape") run.focus();
      else if (e.key === "Enter") { // a new line begins where its neighbour begins
        e.preventDefault();
        const range = getSelection().getRangeAt(0).cloneRange();
        range.setStart(pre, 0);
        document.execCommand("insertText", false, `\n${/(?:^|\n)([ ]*)[^\n]*$/.exec(range.toString())[1]}`);
      }
    };
    if (this.text !== this.source) this.write(this.text); else this.mark();
  }
  read() {
    this.text = this.pre.textContent.replace(/\n$/, "");
    this.mark();
    if (!shelf.set(this, this.text === this.source ? null : this.text)) this.page.say("This browser keeps nothing: your changes last until you leave.");
  }
  write(text) {
    if (text === this.source) this.pre.innerHTML = this.static; else this.pre.textContent = `${text}\n`;
    this.read();
  }
  mark() { this.reset.hidden = this.text === this.source; }

  busy(on) { if (on) this.dom?.setAttribute("aria-busy", "true"); else this.dom?.removeAttribute("aria-busy"); }

  /** Puts outputs in the place of those that stand there, all at once: no flash, and what is the same stays. */
  async show(outputs) {
    if (!this.dom) return;
    const old = this.host, fresh = el("div", { className: "cell_output docutils container" }), views = [];
    for (const output of outputs) renderOutput(fresh, output, (id, box) => views.push([id, box]));
    for (const place of fresh.querySelectorAll("[data-bank]")) { // a widget that asks the same stays as the reader set it
      const same = old?.querySelector(`[data-bank="${CSS.escape(place.dataset.bank)}"]`);
      if (same) place.replaceWith(same);
    }
    if (views.length || bare(old) !== bare(fresh)) {
      if (old) old.replaceWith(fresh); else if (outputs.length) this.dom.append(fresh);
      this.page.mount(fresh);
      for (const [id, box] of views) await (await this.page.widgets()).show(id, box);
    }
    this.dom.dataset.live = "done";
  }
  /** What a callback says later. */
  async add(output) {
    if (output.output_type === "clear") return this.host?.replaceChildren();
    if (!this.host) this.dom?.append(el("div", { className: "cell_output docutils container" }));
    renderOutput(this.host, output, async (id, box) => (await this.page.widgets()).show(id, box));
  }
}
/** Markup without what means nothing. */
const bare = (host) => (host?.innerHTML ?? "").replace(/<span><\/span>|\s+(?=<)|(?<=>)\s+/g, "");
