// Tables that one can play, and walks: what `selfheal.lessons.cases` and `selfheal.lessons.steps` store as plain HTML
// becomes one case, step, picture of a film or patient at a time, with a question before it. Everything is in the page
// already; nothing is computed or fetched here, and without this script it opens by a click.

(() => {
  "use strict";

  const make = (tag, more = {}, ...inside) => {
    const { data, ...rest } = more;
    const made = Object.assign(document.createElement(tag), rest);
    Object.assign(made.dataset, data);
    made.append(...inside);
    return made;
  };
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, key) => values[key]);
  let groups = 0;

  /** Some options, one of them chosen: a row of radio buttons. */
  function choice(label, options, changed, chosen = -1) {
    const name = `play-${(groups += 1)}`;
    const box = make("fieldset", {}, make("legend", { textContent: label }));
    const inputs = options.map((text, n) => {
      const input = make("input", { type: "radio", name, value: n, checked: n === chosen, onchange: () => changed(n) });
      box.append(make("label", {}, input, make("span", { textContent: text })));
      return input;
    });
    const choose = (n) => inputs.forEach((input, m) => { input.checked = m === n; });
    return { box, choose, clear: () => choose(-1) };
  }

  function playCases(root) {
    const words = JSON.parse(root.dataset.words), axes = JSON.parse(root.dataset.axes);
    const answers = JSON.parse(root.dataset.answers), near = Number(root.dataset.near);
    const all = root.querySelector(".all"), stored = new Map();
    for (const one of all.querySelectorAll("details")) stored.set(one.dataset.case, one);
    const at = axes.map(() => 0), seen = new Map();
    let mine = null;

    const stage = make("div", { className: "stage" }), says = make("p", { className: "verdict", role: "status", tabIndex: -1 });
    const show = make("button", { type: "button", textContent: words.show, disabled: true, onclick: reveal });
    const score = make("p", { className: "score" });
    const one = () => stored.get(at.join("-"));
    const tell = (answer) => (answer === "never" ? words.never : fill(words.at, { t: Number(answer).toFixed(1) }));

    // what is predicted: one of some answers, or a second
    let forget, asked;
    if (answers.length) {
      const given = choice(words.predict, answers, (n) => { mine = answers[n]; show.disabled = false; });
      asked = given.box;
      forget = given.clear;
    } else {
      const range = make("input", { type: "range", min: 0, step: 0.5 });
      const never = make("input", { type: "checkbox" }), out = make("output");
      range.setAttribute("aria-label", words.predict);
      const take = (event) => {
        if (event.target === range) never.checked = false;
        mine = never.checked ? "never" : Number(range.value);
        out.value = never.checked ? words.never : fill(words.at, { t: range.value });
        show.disabled = false;
      };
      range.oninput = never.onchange = take;
      range.onkeydown = (event) => { if (event.key === "Enter" && !show.disabled) reveal(); };
      asked = make("fieldset", { className: "second" },
        make("legend", { textContent: `${words.predict} (${fill(words.near, { near })})` }),
        range, out, make("label", {}, never, make("span", { textContent: words.never })));
      forget = () => { range.max = one().dataset.until; range.value = 0; never.checked = false; out.value = ""; };
    }

    /** The table of all cases: it fills as they are seen, and a cell chooses its case. */
    const cells = new Map();
    function map() {
      const columns = axes.at(-1)[1], head = make("tr", {}, make("td"));
      for (const text of columns) head.append(make("th", { scope: "col", textContent: text }));
      const body = make("tbody");
      let rows = [[]];
      for (const [, options] of axes.slice(0, -1)) rows = rows.flatMap((row) => options.map((_, n) => [...row, n]));
      for (const row of rows) {
        const name = row.map((m, n) => axes[n][1][m]).join(" · ");
        const line = make("tr", {}, name ? make("th", { scope: "row", textContent: name }) : make("td"));
        columns.forEach((_, n) => {
          const place = [...row, n];
          const cell = make("button", { type: "button", onclick: () => {
            place.forEach((m, axis) => { at[axis] = m; chosen[axis].choose(m); });
            draw(false);
          } });
          cells.set(place.join("-"), cell);
          line.append(make("td", {}, cell));
        });
        body.append(line);
      }
      const inside = make("div", { className: "scroll", tabIndex: 0, role: "group" }, make("table", {}, make("thead", {}, head), body));
      inside.setAttribute("aria-label", words.map);
      return make("details", { className: "map", open: root.clientWidth >= 640 }, make("summary", { textContent: words.map }), inside);
    }
    function right(guess, answer) {
      if (answers.length || guess === "never" || answer === "never") return String(guess) === answer;
      return Math.abs(guess - Number(answer)) <= near;
    }
    function verdict(guess, answer) {
      if (answers.length) return guess === answer ? words.right : fill(words.wrong, { answer });
      const told = { mine: tell(guess), true: tell(answer) };
      if (guess === "never" && answer === "never") return words.right;
      if (guess === "never" || answer === "never") return fill(words.unlike, told);
      const by = Math.abs(guess - Number(answer)).toFixed(1);
      return `${right(guess, answer) ? `${words.right} ` : ""}${fill(words.off, { ...told, by })}`;
    }
    function reveal() {
      const { answer } = one().dataset;
      seen.set(at.join("-"), mine);
      draw(true);
      says.textContent = `${right(mine, answer) ? "✓" : "✗"} ${verdict(mine, answer)}`;
      says.className = `verdict ${right(mine, answer) ? "yes" : "no"}`;
      says.focus({ preventScroll: true }); // what was pressed is gone
    }
    function draw(anew) {
      const key = at.join("-"), guess = seen.get(key), known = seen.has(key);
      asked.hidden = show.hidden = known;
      stage.replaceChildren();
      says.textContent = "";
      if (known) {
        for (const part of [...one().children].slice(1)) stage.append(part.cloneNode(true));
        const lanes = stage.querySelector(".lanes");
        if (!answers.length && guess !== "never" && lanes) {
          const left = `${(100 * guess) / Number(lanes.dataset.until)}%`;
          for (const axis of lanes.querySelectorAll(".lane:not(.marks):not(.scale) .axis")) {
            axis.append(make("em", { className: "mine", title: words.yours, style: `left:${left}` }));
          }
        }
        if (anew && lanes) lanes.classList.add("sweep");
      } else {
        mine = null;
        show.disabled = true;
        forget();
      }
      for (const [of, cell] of cells) {
        const said = seen.has(of), of_ = stored.get(of).dataset.answer;
        cell.textContent = said ? (answers.length ? of_ : tell(of_)) : "?";
        cell.className = said ? (right(seen.get(of), of_) ? "yes" : "no") : "";
        if (of === key) cell.setAttribute("aria-current", "true"); else cell.removeAttribute("aria-current");
        cell.setAttribute("aria-label", `${stored.get(of).querySelector("summary").textContent}: ${cell.textContent}`);
      }
      let hits = 0;
      for (const [of, said] of seen) hits += right(said, stored.get(of).dataset.answer);
      score.hidden = !seen.size;
      score.textContent = fill(words.score, { right: hits, seen: seen.size, all: stored.size });
    }
    const chosen = axes.map(([label, options], n) => choice(label, options, (m) => { at[n] = m; draw(false); }, 0));
    const table = map();
    all.before(make("div", { className: "desk" }, ...chosen.map((one) => one.box)), root.querySelector(".ask"), asked, show, says,
      stage, score, table);
    all.hidden = true;
    draw(false);
  }

  /** One item at a time: the steps of a walk, the pictures of a film, patients. Its questions come first. */
  function playSteps(root) {
    const words = JSON.parse(root.dataset.words), list = root.querySelector("ol"), all = [...list.children];
    const people = JSON.parse(root.dataset.who).map((who) => make("span", { textContent: who, data: { who } }));
    const back = make("button", { type: "button", textContent: words.before, onclick: () => go(at - 1) });
    const next = make("button", { type: "button", textContent: words.next, onclick: () => go(at + 1) });
    const place = make("span", { role: "status" }), score = make("span");
    const film = all[0].dataset.at !== undefined;
    const time = make("input", { type: "range", min: 0, max: all.length - 1, value: 0, oninput: () => go(Number(time.value)) });
    time.setAttribute("aria-label", words.time);
    let at = 0;
    const open = (item) => !item.querySelector(".asked") || item.dataset.done === "";
    const picks = (item) => [...item.querySelectorAll(".pick")];
    for (const frame of root.querySelectorAll("details.frame")) {
      frame.replaceWith(make("div", { className: "frame" }, make("p", {}, ...frame.querySelector("summary").childNodes),
        ...[...frame.children].slice(1)));
    }
    for (const item of all) {
      for (const answer of item.querySelectorAll(".asked details")) {
        answer.addEventListener("toggle", () => { if (answer.open) { choose(item, answer); draw(); } });
      }
      for (const lines of item.querySelectorAll(".lines")) rove([...lines.querySelectorAll("summary")]);
    }
    /** An answer was opened. Of several questions each wants its right one, and the first try counts. */
    function choose(item, answer) {
      const pick = answer.closest(".pick"), right = "right" in answer.dataset;
      if (pick) {
        pick.dataset.first ??= right ? "yes" : "no";
        if (right) pick.dataset.done = "";
      }
      if (picks(item).every((one) => one.dataset.done === "")) item.dataset.done = "";
    }
    /** Many lines are one stop of the Tab key; arrow keys go from line to line. */
    function rove(lines) {
      lines.forEach((line, n) => {
        line.tabIndex = n ? -1 : 0;
        line.addEventListener("focus", () => { for (const one of lines) one.tabIndex = one === line ? 0 : -1; });
        line.addEventListener("keydown", (event) => {
          const to = { ArrowDown: n + 1, ArrowUp: n - 1, Home: 0, End: lines.length - 1 }[event.key];
          if (to === undefined) return;
          event.preventDefault();
          lines[to]?.focus();
        });
      });
    }
    function go(to) {
      const closed = all.findIndex((item) => !open(item)); // nothing is shown behind an open question
      at = Math.max(0, Math.min(to, all.length - 1, closed < 0 ? Infinity : closed));
      const held = document.activeElement;
      draw();
      if (!held.disabled && held.checkVisibility()) return;
      const on = next.disabled ? back : next; // what had the focus is gone
      (open(all[at]) ? on : all[at].querySelector("summary")).focus({ preventScroll: true });
    }
    function draw() {
      const item = all[at], { at: when } = item.dataset;
      const kept = film && !open(item) ? at - 1 : at; // whoever predicts sees what there was before
      all.forEach((one, n) => { one.hidden = n < kept || n > at; one.querySelector(".told").hidden = !open(one); });
      picks(item).forEach((one, n, of) => { one.hidden = n > 0 && of[n - 1].dataset.done !== ""; });
      for (const who of people) who.classList.toggle("now", open(item) && who.dataset.who === item.dataset.who);
      back.disabled = at === 0;
      next.disabled = at === all.length - 1 || !open(item);
      time.value = at;
      if (film) time.setAttribute("aria-valuetext", open(item) ? when : words.first);
      const name = film && open(item) ? `${when} · ` : "";
      place.textContent = name + fill(words.step, { n: at + 1, all: all.length }) + (open(item) ? "" : ` · ${words.first}`);
      const tried = all.flatMap(picks).map((one) => one.dataset.first).filter(Boolean);
      if (tried.length) score.textContent = fill(words.hits, { right: tried.filter((one) => one === "yes").length, all: tried.length });
    }
    root.addEventListener("keydown", (event) => {
      if (event.target === time) return; // it moves by itself
      if (event.key === "ArrowRight" && !next.disabled) go(at + 1);
      else if (event.key === "ArrowLeft") go(at - 1);
      else return;
      event.preventDefault();
    });
    if (people.length) list.before(make("p", { className: "people" }, ...people));
    list.before(make("p", { className: "keys" }, back, next, ...(film ? [time] : []), place, ...(all.some((item) => picks(item).length) ? [score] : [])));
    list.classList.add("one");
    draw();
  }

  function mount(root) {
    for (const place of root.querySelectorAll(".selfheal-play[data-play]:not([data-mounted])")) {
      place.dataset.mounted = "";
      const cell = place.closest(".output");
      if (cell) Object.assign(cell.style, { background: "none", padding: "0" });
      (place.dataset.play === "cases" ? playCases : playSteps)(place);
    }
  }
  const begin = () => {
    mount(document);
    new MutationObserver(() => mount(document)).observe(document.querySelector("main") ?? document.body, { childList: true, subtree: true });
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
})();
