// A verdict, and below it the runs that go on: which one, how many of how many. Each is asked for, so Stop is not asking.

const make = (tag, properties, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};

function render({ model, el }) {
  const words = model.get("words");
  const report = make("div"), button = make("button", { type: "button" }), bar = make("progress"), line = make("span");
  const row = make("div", { className: "selfheal-runs" }, button, bar, line);
  Object.assign(row.style, { display: "flex", flexWrap: "wrap", alignItems: "center", gap: ".4em .8em", margin: ".4em 0" });
  Object.assign(button.style, { font: "inherit", color: "inherit", background: "none", minHeight: "30px", cursor: "pointer" });
  Object.assign(button.style, { padding: "3px 11px", borderWidth: "1px", borderStyle: "solid", borderRadius: "8px" });
  Object.assign(line.style, { flex: "1 1 16em", fontVariantNumeric: "tabular-nums" });
  bar.ariaLabel = words["bar"];
  let going = false, waits = false, shown;

  function draw() {
    const { html, says, done, total, over } = model.get("state");
    if (html !== shown) report.innerHTML = shown = html;
    going &&= !over;
    Object.assign(bar, { hidden: !done, max: total, value: done });
    button.hidden = over;
    button.textContent = words[going ? "stop" : done ? "on" : "go"];
    line.ariaLive = going ? "off" : "polite"; // the end is worth a word, not each run
    line.textContent = going || over ? says : done ? words["stopped"].replace("{done}", done).replace("{total}", total) : "";
  }
  function ask() {
    if (!going || waits) return;
    waits = true;
    model.send({ next: true });
  }
  function heard() {
    waits = false;
    draw();
    ask();
  }
  button.onclick = () => { going = !going; draw(); ask(); };
  model.on("change:state", heard);
  draw();
  el.append(report, row);
  return () => { going = false; model.off("change:state", heard); };
}

export default { render };
