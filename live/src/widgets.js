// ipywidgets and anywidgets on a live page: one manager, whose comms are messages to the worker. Loaded when first needed.
import * as base from "@jupyter-widgets/base";
import * as controls from "@jupyter-widgets/controls";
import * as output from "@jupyter-widgets/output";
import { ManagerBase } from "@jupyter-widgets/base-manager";
import { Widget } from "@lumino/widgets";
import anywidget from "anywidget-amd";
import { renderOutput } from "./outputs.js";

class OutputView extends base.DOMWidgetView {
  render() {
    super.render();
    this.el.classList.add("live-output-widget");
    this.listenTo(this.model, "change:outputs", this.draw);
    this.draw();
  }
  draw() {
    const fresh = document.createElement("div");
    for (const out of this.model.get("outputs") ?? []) renderOutput(fresh, out, (id, box) => this.model.widget_manager.show(id, box));
    this.el.replaceChildren(...fresh.childNodes);
  }
}
class OutputModel extends output.OutputModel {
  defaults() { return { ...super.defaults(), outputs: [] }; }
}

const modules = {
  "@jupyter-widgets/base": base,
  "@jupyter-widgets/controls": controls,
  "@jupyter-widgets/output": { ...output, OutputModel, OutputView },
  anywidget: anywidget(base),
};

class PortComm {
  constructor(manager, comm_id, target_name) { Object.assign(this, { manager, comm_id, target_name }); }
  #say(type, data, callbacks, metadata, buffers) {
    return this.manager.post({ type, content: { comm_id: this.comm_id, target_name: this.target_name, data }, metadata }, buffers, callbacks);
  }
  open(data, callbacks, metadata, buffers) { return this.#say("comm_open", data, callbacks, metadata, buffers); }
  send(data, callbacks, metadata, buffers) { return this.#say("comm_msg", data, callbacks, metadata, buffers); }
  close(data, callbacks, metadata, buffers) { return this.#say("comm_close", data, callbacks, metadata, buffers); }
  on_msg(f) { this.msg = f; }
  on_close(f) { this.closed = f; }
}

export class LiveManager extends ManagerBase {
  comms = new Map();
  waiting = new Map();
  chain = Promise.resolve();
  count = 0;

  async loadClass(className, moduleName) {
    const found = modules[moduleName]?.[className];
    if (!found) throw new Error(`No class ${className} in ${moduleName}`);
    return found;
  }
  async _create_comm(target, id, data, metadata, buffers) {
    const comm = new PortComm(this, id ?? base.uuid(), target);
    this.comms.set(comm.comm_id, comm);
    if (data) comm.open(data, undefined, metadata, buffers);
    return comm;
  }
  async _get_comm_info() { return {}; }

  // ---- the worker's side
  /** send(message, buffers): to Python. */
  constructor(send) { super(); this.send = send; }
  post(msg, buffers, callbacks) {
    const id = `m${++this.count}`;
    this.waiting.set(id, callbacks);
    this.send({ ...msg, id }, buffers ?? []);
    return id;
  }
  idle(id) {
    const callbacks = this.waiting.get(id);
    this.waiting.delete(id);
    callbacks?.iopub?.status?.({ content: { execution_state: "idle" }, header: { msg_type: "status" }, parent_header: { msg_id: id } });
  }
  receive(msg) { // in order: a message for a model waits until the model is there
    this.chain = this.chain.then(() => this.#receive(msg)).catch((e) => console.error("widget message", e));
    return this.chain;
  }
  async #receive(msg) {
    const { comm_id, target_name } = msg.content;
    if (msg.type === "comm_open") {
      const comm = new PortComm(this, comm_id, target_name);
      this.comms.set(comm_id, comm);
      await this.handle_comm_open(comm, msg);
    } else if (msg.type === "comm_close") {
      this.comms.get(comm_id)?.closed?.(msg);
      this.comms.delete(comm_id);
    } else {
      await this.comms.get(comm_id)?.msg?.(msg);
    }
  }

  // ---- views
  async create_view(model, options) { // ipywidgets leaves its slider handles and groups without a name
    const view = await super.create_view(model, options);
    const name = model.get("description") || model.name;
    for (const h of view.el.querySelectorAll(".noUi-handle")) h.setAttribute("aria-label", name);
    const group = view.el.matches(".widget-toggle-buttons, .widget-radio") ? view.el.querySelector(":scope > div") : null;
    group?.setAttribute("role", "group");
    group?.setAttribute("aria-label", name);
    return view;
  }
  async show(modelId, host) {
    const model = await this.get_model(modelId);
    const view = await this.create_view(model);
    Widget.attach(view.luminoWidget ?? view.pWidget, host);
    return view;
  }
}
