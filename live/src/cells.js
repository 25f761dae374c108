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
  /** given: {index, key, source}. page: {run(cell), stop(), say(text), tell(key, given), mount(element), widgets()}. */
  constructor(given, page) {
    Object.assign(this, given, { page });
    this.dom = document.getElementById(`live-cell-${this.index}`);
    this.pre = this.dom?.querySelector(".cell_input pre");
    this.text = (this.pre && shelf.get(this)) ?? this.source;
  }
  get host() { return this.dom?.querySelector(":scope > .cell_output, :scope > details > .cell_output"); }

  /** Opens the cell for changes: a transparent text area lies over the coloured text. */
  open() {
    if (!this.pre || this.tools) return;
    const { pre, page: { tell } } = this;
    this.static = pre.innerHTML;
    this.area = el("textarea", { className: "live-code", spellcheck: false, wrap: "off", autocapitalize: "off", autocomplete: "off",
      ariaLabel: tell("cell", { n: this.number }) });
    const box = el("div", { className: "live-editor" });
    pre.replaceWith(box);
    box.append(pre, this.area);
    const look = getComputedStyle(pre); // letter lies over letter
    for (const rule of ["padding", "font", "letterSpacing", "tabSize"]) this.area.style[rule] = look[rule];
    pre.ariaHidden = "true"; // the text area says the same
    const button = (name, label, onclick) => el("button", { type: "button", className: `live-${name}`, textContent: label, ariaLabel: tell("button", { label, n: this.number }), onclick });
    const run = this.button = button("run", tell("run"), (e) => e.detail > 1 || (this.dom.ariaBusy ? this.page.stop() : this.page.run(this)));
    this.reset = button("reset", tell("reset"), () => { this.area.value = this.source; this.read(); this.area.focus(); });
    this.tools = el("div", { className: "live-tools" }, run, this.reset);
    pre.closest(".cell_input").append(this.tools);
    this.area.oninput = () => this.read();
    this.area.onkeydown = (e) => {
      e.stopPropagation(); // the page's own keys, "/" for a search, are letters here
      const { value, selectionStart: at } = this.area;
      if (e.key === "Enter" && (e.shiftKey || e.ctrlKey || e.metaKey)) { e.preventDefault(); if (!this.dom.ariaBusy) run.click(); }
      else if (e.key === "Escape") run.focus();
      else if (e.key === "Enter" && !e.isComposing) { // a new line begins where its neighbour begins
        const [, indent, colon] = /(?:^|\n)([ ]*)[^\n]*?(:?)$/.exec(value.slice(0, at));
        e.preventDefault();
        document.execCommand("insertText", false, `\n${indent}${colon && "    "}`); // old, but the only way that undo knows of
      }
    };
    this.area.value = this.text;
    this.draw();
  }
  read() {
    this.text = this.area.value;
    this.draw();
    if (!shelf.set(this, this.text === this.source ? null : this.text)) this.page.say(this.page.tell("unkept"));
  }
  draw() {
    if (this.text === this.source) this.pre.innerHTML = this.static; else this.pre.innerHTML = colour(`${this.text}\n`);
    this.reset.hidden = this.text === this.source;
  }
  busy(on) {
    if (this.dom) this.dom.ariaBusy = on ? "true" : null;
    if (this.button) this.button.textContent = this.page.tell(on ? "stop" : "run");
  }

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
      for (const pre of fresh.querySelectorAll("pre")) if (pre.scrollWidth > pre.clientWidth) pre.tabIndex = 0; // as the theme does once
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
/** Python as Pygments would colour it, near enough for what changes under a reader's hands. */
function colour(code) {
  const safe = (text) => text.replace(/[&<>]/g, (letter) => `&#${letter.charCodeAt(0)};`);
  const words = /^(and|as|assert|async|await|break|class|continue|def|del|elif|else|except|finally|for|from|global|if|import|in|is|lambda|nonlocal|not|or|pass|raise|return|try|while|with|yield|True|False|None)$/;
  const token = /[fFrRbB]{0,2}("""|''')[^]*?\1|[fFrRbB]{0,2}(["'])(?:\\.|(?!\2)[^\\\n])*\2|#[^\n]*|\d[\w.]*|[A-Za-z_]\w*/g;
  let out = "", last = 0;
  for (const { 0: found, 1: triple, 2: quote, index } of code.matchAll(token)) {
    const kind = triple || quote ? "s2" : found[0] === "#" ? "c1" : /\d/.test(found[0]) ? "mi" : words.test(found) ? "k" : "";
    out += safe(code.slice(last, index)) + (kind ? `<span class="${kind}">${safe(found)}</span>` : safe(found));
    last = index + found.length;
  }
  return out + safe(code.slice(last));
}
/** Markup without what means nothing. */
const bare = (host) => (host?.innerHTML ?? "").replace(/<span><\/span>|\s+(?=<)|(?<=>)\s+/g, "");
