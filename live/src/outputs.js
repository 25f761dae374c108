// Draws one Jupyter output (nbformat shape) with the classes that the book's static outputs have.
const ansi = /\x1b\[[0-9;]*m/g;
const text = (value) => (Array.isArray(value) ? value.join("") : value ?? "");

function box(host, kind) {
  const made = document.createElement("div");
  made.className = `output ${kind}`;
  host.append(made);
  return made;
}
function pre(host, kind, value) {
  const made = box(host, `${kind} highlight-myst-ansi notranslate`);
  made.innerHTML = '<div class="highlight"><pre></pre></div>';
  made.querySelector("pre").textContent = text(value).replace(ansi, "");
}
function markup(host, kind, value) { box(host, kind).innerHTML = text(value); } // scripts in it stay dead

/** widgets: (model id, element) => draws a widget's view, once its element is in the page. */
export function renderOutput(host, output, widgets) {
  if (output.output_type === "stream") {
    const kind = output.name === "stderr" ? "stderr" : "stream", last = host.lastElementChild;
    if (last?.classList.contains(kind)) last.querySelector("pre").append(text(output.text).replace(ansi, ""));
    else pre(host, kind, output.text);
    return;
  }
  if (output.output_type === "error") return pre(host, "traceback", text(output.traceback?.join("\n") ?? output.evalue));
  const data = output.data ?? {}, view = data["application/vnd.jupyter.widget-view+json"];
  if (view && widgets) widgets(view.model_id, box(host, "live-widget"));
  else if (data["text/html"]) markup(host, "text_html", data["text/html"]);
  else if (data["image/svg+xml"]) markup(host, "image_svg", data["image/svg+xml"]);
  else if (data["image/png"]) {
    const image = new Image();
    image.src = `data:image/png;base64,${text(data["image/png"])}`;
    image.alt = text(data["text/plain"]);
    box(host, "image_png").append(image);
  } else pre(host, "text_plain", data["text/markdown"] ?? data["text/plain"]);
}
