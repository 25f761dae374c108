// The patient monitor: one module in anywidget's contract, readable as it is, no build step.
//
// It asks a question (a scenario: manifests, actions, belief) and draws the answer (a timeline: records).
// Everything on screen is a pure function of that timeline and a playhead:
//
//   read(answer)          records -> story: pods with lives, ticks and bands; events in order
//   podAt(pod, t)         story -> what a pod is at a moment
//   compose(data, set…)   what the reader has set -> the next question
//   Strip, Ward, …        draw a story at a moment; they keep nothing but their own elements
//
// Who answers (a bank stored with the page, a kernel, Python in the page) is not known here: a question goes out as a
// text and its answer comes back as a text, the same bytes from each. See `asker`.
// Names and texts come from manifests and programs: they enter the page as text nodes, never as markup.

const PROBES = ["startup", "readiness", "liveness"];
const KNOBS = {
  initialDelaySeconds: [0, 0, 3600],
  periodSeconds: [10, 1, 3600],
  timeoutSeconds: [1, 1, 3600],
  failureThreshold: [3, 1, 100],
  successThreshold: [1, 1, 100],
}; // default, least, most
const SPEEDS = [1, 2, 5, 10, 30, 60];
const LASTING = [0, 10, 30, 60, 120, 300]; // how many seconds a fault can last; 0: to the end
const NEVER = "never";

// ------------------------------------------------------------------------------------------- small tools

const ICONS = {
  start: "M1 2h2.2v10H1z M13 2v10L4.4 7z",
  back: "M2 2h2v10H2z M12 2v10L5 7z",
  play: "M3 1.2v11.6L12.6 7z",
  pause: "M2.5 1.5h3.2v11H2.5z M8.3 1.5h3.2v11H8.3z",
  forth: "M2 2v10l7-5z M10 2h2v10h-2z",
};

function node(namespace, tag, attributes, children) {
  const made = namespace ? document.createElementNS(namespace, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked") made[name] = value;
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}
const h = (tag, attributes, ...children) => node(null, tag, attributes, children);
const s = (tag, attributes, ...children) => node("http://www.w3.org/2000/svg", tag, attributes, children);
const icon = (name) => s("svg", { viewBox: "0 0 14 14", "aria-hidden": "true" }, s("path", { d: ICONS[name] }));

/** Set an attribute or the text only when it changed: most frames change very little. */
function set(element, name, value) {
  const text = String(value);
  if (element["_" + name] === text) return;
  element["_" + name] = text;
  if (name === "text") element.textContent = text;
  else element.setAttribute(name, text);
}

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
const trim = (value) => String(Math.round(value * 10) / 10);
const tenths = (value) => (Math.round(value * 10) / 10).toFixed(1);
/** The last element of a list sorted by `from` (or `t`) that has begun at t. */
function latest(list, t, key = "t") {
  let low = 0, high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle][key] <= t) low = middle + 1;
    else high = middle;
  }
  return list[low - 1];
}
const during = (bands, t) => {
  const band = latest(bands, t, "from");
  return band && t < band.to ? band : undefined;
};
/** Bands with a gap in them. */
const without = (bands, from, to) => bands
  .flatMap((band) => [{ ...band, to: Math.min(band.to, from) }, { ...band, from: Math.max(band.from, to) }])
  .filter((band) => band.from < band.to);

// -------------------------------------------------------------------------------- reading: records -> story

/** A timeline as the lanes show it. `at` says which container is watched in each pod, and whether its app reports. */
function read(answer, at, words) {
  const { name } = at;
  const [header, ...records] = answer.timeline;
  const until = header.until;
  const say = speaker(words);
  const story = { until, why: answer.why ?? {}, pods: new Map(), nodes: new Map(), trouble: [], services: new Map(), events: [] };
  const events = story.events;
  const tell = (type, r, text, more) => events.push({ t: r.t, type, id: r.id, text, ...more });
  const podOf = (r) => {
    const key = r.object.slice(r.object.indexOf("/") + 1);
    if (!story.pods.has(key)) {
      story.pods.set(key, {
        name: key, from: r.t, to: Infinity, node: null, lives: [], stops: [], waits: [], app: [], ready: [], service: [], states: [], dark: [], ails: [],
        probes: {}, counts: [], phase: null, deleting: null, placed: Infinity, pulled: -1,
      });
    }
    return story.pods.get(key);
  };
  const close = (list, t) => { if (list.length && list.at(-1).to === Infinity) list.at(-1).to = t; };
  const open = (list, band) => { close(list, band.from); list.push({ to: Infinity, ...band }); };

  for (const r of records) {
    if (r.kind === "Pod") readPod(podOf(r), r);
    else if (r.kind === "Event" && r.object.startsWith("Pod/")) readEvent(podOf(r), r);
    else if (r.kind === "Probe") readProbe(podOf(r), r);
    else if (r.kind === "App") readApp(podOf(r), r);
    else if (r.kind === "EndpointSlice") readSlice(r);
    else if (r.kind === "Traffic") readTraffic(r);
    else if (r.kind === "Node") readNode(r);
    else if (r.kind === "Action") readAction(r);
  }

  function readPod(pod, r) {
    const c = (r.containers ?? []).concat(r.initContainers ?? []).find((one) => one.name === name) ?? r.containers?.[0];
    if (r.node && !pod.node) {
      pod.node = r.node;
      pod.placed = r.t;
      if (!story.nodes.has(r.node)) story.nodes.set(r.node, []);
      tell("placed", r, say("event.placed", { node: r.node }), { pod: pod.name, lane: "container" });
    }
    if (r.terminating && pod.deleting === null) {
      pod.deleting = r.t;
      tell("deleting", r, say("event.deleting"), { pod: pod.name, lane: "container" });
    }
    const life = pod.lives.at(-1), on = life && life.to === Infinity;
    if (c && c.state === "running" && (!on || c.restartCount + 1 !== life.n)) {
      // A restart at once: the end was too short to be seen, so it is where the next instance's image was looked up.
      if (on) endLife(pod, r, pod.pulled > life.from ? pod.pulled : r.t, c.last?.exitCode);
      close(pod.waits, r.t);
      const n = c.restartCount + 1;
      pod.lives.push({ from: r.t, to: Infinity, n, id: r.id, started: null });
      if (at.reports && pod.app.at(-1)?.to !== Infinity) pod.app.push({ from: r.t, to: Infinity, healthy: true, text: "", id: r.id, states: {} });
      tell(n > 1 ? "restart" : "life", r, n > 1 ? say("event.restart", { n: n - 1 }) : say("event.life"), { pod: pod.name, lane: "container" });
    } else if (c && c.state !== "running" && on) {
      endLife(pod, r, r.t, c.state === "terminated" ? c.exitCode : c.last?.exitCode, c.state === "terminated" ? c.reason : c.last?.reason);
    }
    if (c && c.started && pod.lives.length && pod.lives.at(-1).started === null) {
      pod.lives.at(-1).started = r.t;
      if (r.t > pod.lives.at(-1).from) tell("started", r, say("event.started"), { pod: pod.name, lane: "startup" });
    }
    if (c && c.state === "waiting" && c.reason === "CrashLoopBackOff" && pod.waits.at(-1)?.to !== Infinity) {
      const length = /back-off (\S+) restarting/.exec(c.message ?? "")?.[1] ?? "";
      pod.waits.push({ from: r.t, to: Infinity, length: length.replace(/^(\d+)m(\d+)s$/, (_, m, rest) => `${m * 60 + +rest}s`).replace(/^(\d+)s$/, (_, t) => say("s", { t })), id: r.id });
      tell("backoff", r, say("event.backoff", { text: c.message ?? c.reason }), { pod: pod.name, lane: "container" });
    }
    pod.counts.push({ t: r.t, restarts: c ? c.restartCount : 0, ready: r.ready, phase: r.phase, waiting: c?.state === "waiting" ? c.reason : null });
    const ready = r.conditions?.Ready === "True" && !r.deleted, was = pod.ready.at(-1)?.to === Infinity;
    if (ready && !was) {
      open(pod.ready, { from: r.t, id: r.id });
      tell("ready", r, say("event.ready"), { pod: pod.name, lane: "ready" });
    } else if (!ready && was) {
      close(pod.ready, r.t);
      tell("unready", r, say("event.unready"), { pod: pod.name, lane: "ready" });
    }
    if (r.phase !== pod.phase) {
      if (r.phase === "Failed" || r.phase === "Succeeded") tell("phase", r, say("event.phase", { phase: r.phase }), { pod: pod.name, lane: "container" });
      pod.phase = r.phase;
    }
    if (r.deleted) {
      pod.to = r.t;
      if (pod.lives.at(-1)?.to === Infinity) endLife(pod, r, r.t);
      close(pod.waits, r.t);
      close(pod.app, r.t);
      tell("gone", r, say("event.gone"), { pod: pod.name, lane: "container" });
    }
  }

  function endLife(pod, r, t, exitCode, reason) {
    const life = pod.lives.at(-1);
    Object.assign(life, { to: t, exitCode, reason, end: r.id });
    close(pod.stops, t);
    if (pod.app.at(-1)?.from < t) close(pod.app, t); // a later report is the next instance's
    tell("end", { t, id: r.id }, say("event.end", { code: exitCode ?? "?" }), { pod: pod.name, lane: "container" });
  }

  function readEvent(pod, r) {
    if (r.reason === "Pulled" && r.field?.includes(`{${name}}`)) pod.pulled = r.t;
    if (r.reason === "Killing" && (!r.field || r.field.includes(`{${name}}`)) && pod.stops.at(-1)?.to !== Infinity) {
      pod.stops.push({ from: r.t, to: Infinity, id: r.id, message: r.message });
      tell("kill", r, say("event.kill"), { pod: pod.name, lane: "container", detail: r.message });
    }
  }

  function readProbe(pod, r) {
    if (r.container !== name) return;
    const ticks = (pod.probes[r.probe] ??= []);
    for (let i = 0; i < r.times; i++) {
      const tick = { t: r.t + i * r.every, result: r.result, why: r.why, verdict: r.verdict, output: r.output, id: r.id, run: 0, probe: r.probe };
      if (r.result !== "skipped") {
        const before = ticks.findLast((one) => one.result !== "skipped");
        // The worker forgets its run once liveness has failed for good: count on from the tick before.
        tick.run = r.run ? Math.max(1, r.run - (r.times - 1 - i)) : (before?.result === r.result ? before.run : 0) + 1;
      }
      if (tick.t <= until) ticks.push(tick);
    }
  }

  function readApp(pod, r) {
    if (r.container !== name) return;
    const was = pod.app.at(-1);
    if (was && was.to === Infinity && was.healthy === r.healthy && was.text === said(r.text, say)) return;
    const text = said(r.text, say), busy = !r.healthy && isBusy(r.text);
    open(pod.app, { from: r.t, healthy: r.healthy, busy, text, id: r.id, states: Object.fromEntries(r.healthy ? [] : r.text.split(", ").map((part) => part.split(" "))) });
    if (!r.healthy) tell("sick", r, say(busy ? "event.busy" : "event.sick", { text }), { pod: pod.name, lane: "app" });
    else if (was && !was.healthy) tell("well", r, say("event.well"), { pod: pod.name, lane: "app" });
  }

  function readSlice(r) {
    const service = serviceOf(r.service);
    const now = new Map();
    if (!r.deleted) for (const e of r.endpoints ?? []) now.set(e.pod, e);
    service.slices.push({ t: r.t, ready: [...now.values()].filter((e) => e.ready).length, all: now.size });
    for (const pod of story.pods.values()) {
      const e = now.get(pod.name);
      const state = e ? (e.ready ? "in" : e.terminating && e.serving ? "leaving" : null) : null;
      const band = pod.service.at(-1), was = band && band.to === Infinity ? band.state : null;
      if (state === was) continue;
      close(pod.service, r.t);
      if (state) open(pod.service, { from: r.t, state, id: r.id });
      if (state || was === "in") tell(state ?? "out", r, say(`event.${state ?? "out"}`), { pod: pod.name, lane: "service" });
    }
  }

  function readTraffic(r) {
    const service = serviceOf(r.object.slice(r.object.indexOf("/") + 1));
    const losing = r.lost > 0, was = service.losses.at(-1);
    if (losing && was?.to === r.t) was.to = r.t + r.every * r.times;
    else if (losing) {
      service.losses.push({ from: r.t, to: r.t + r.every * r.times, id: r.id });
      tell("lost", r, say("event.lost"), { lane: "requests", service: service.name });
    } else if (was && was.to === r.t) tell("served", r, say("event.served"), { lane: "requests", service: service.name });
    service.traffic.push({ from: r.t, to: r.t + r.every * r.times, every: r.every, sent: r.sent, served: r.served, lost: r.lost, id: r.id });
  }

  function serviceOf(key) {
    if (!story.services.has(key)) story.services.set(key, { name: key, traffic: [], losses: [], slices: [] });
    return story.services.get(key);
  }

  function readNode(r) {
    const key = r.object.slice(5), bands = story.nodes.get(key) ?? [];
    story.nodes.set(key, bands);
    const status = r.conditions?.Ready ?? "Unknown", was = bands.at(-1);
    if (was?.status === status) return;
    open(bands, { from: Math.max(0, r.t), status, id: r.id });
    const type = status === "True" ? "node-back" : "node-lost";
    if (was) tell(type, r, say(`event.node.${status}`, { node: key }), { lane: `node:${key}`, node: key });
  }

  /** What was done from outside. What it does to a node or an app no record says: nobody in the cluster can see it. */
  function readAction(r) {
    const { verb, args, t, id } = r, fault = verb === "fault" ? args.kind : verb;
    const refused = r.result !== "ok" && (verb === "fault" || verb === "kill" || verb.endsWith("Node"));
    tell("flip", r, describe(r, say), { lane: "flips", detail: refused ? r.result : undefined });
    if (refused) return;
    const [kind, target] = String(args?.target ?? `node/${args}`).split("/"), to = args?.for ? t + args.for : Infinity;
    const is = { stopNode: "dark", partition: "cut", loseHeartbeats: "mute" }[fault];
    if (is && kind === "node") story.trouble.push({ node: target, is, from: t, to, id });
    else if (fault === "startNode") story.trouble.filter((one) => one.node === target && one.is === "dark" && one.to === Infinity).forEach((one) => { one.to = t; });
    else if (fault === "hang" || fault === "slow") story.pods.get(target)?.ails.push({ from: t, to, id, text: say(`app.${fault}`), healthy: false, states: {} });
  }

  for (const pod of story.pods.values()) {
    // With the node's power the app is gone, for as long as the API still takes it for alive.
    for (const { node, is, from, to } of story.trouble) {
      if (node !== pod.node || is !== "dark" || to <= pod.placed) continue;
      pod.dark.push({ from: Math.max(from, pod.placed), to: Math.max(to, during(pod.lives, from)?.to ?? 0) });
    }
    for (const { from, to } of pod.dark) pod.app = without(pod.app, from, to);
    for (const ail of pod.ails) {
      const life = during(pod.lives, ail.from)?.to ?? ail.from, off = pod.dark.find((one) => one.from > ail.from)?.from ?? life;
      const band = { ...ail, to: Math.min(ail.to, life, off) };
      pod.app = [...without(pod.app, band.from, band.to), band].sort((a, b) => a.from - b.from);
      tell("sick", { t: band.from, id: ail.id }, say("event.sick", { text: ail.text }), { pod: pod.name, lane: "app" });
      if (band.to === ail.to && ail.to <= until) tell("well", { t: band.to, id: ail.id }, say("event.well"), { pod: pod.name, lane: "app" });
    }
    for (const [probe, ticks] of Object.entries(pod.probes)) {
      let before;
      for (const tick of ticks) {
        const text = tickText(tick, say);
        const fresh = before?.result !== tick.result || before?.why !== tick.why;
        const type = { failure: "fail", skipped: "skip" }[tick.result] ?? "pass"; // of passes and skips the first of a row will do
        if (type === "fail" || (fresh && (before || type !== "skip"))) {
          events.push({ t: tick.t, type, id: tick.id, text, pod: pod.name, lane: probe, detail: tick.output, tick });
        }
        before = tick;
      }
    }
    pod.states = statesOf(pod);
  }
  events.sort((a, b) => a.t - b.t || (a.id ?? 0) - (b.id ?? 0));
  events.forEach((event, i) => { event.index = i; });
  return story;
}

/** What a pod is, stretch by stretch: the colour of its bed and the shape of its heartbeat. */
function statesOf(pod) {
  const cuts = new Set([pod.from, pod.to]);
  for (const list of [pod.lives, pod.stops, pod.waits, pod.app, pod.dark]) for (const band of list) { cuts.add(band.from); cuts.add(band.to); }
  for (const life of pod.lives) if (life.started !== null) cuts.add(life.started);
  cuts.add(pod.placed);
  const times = [...cuts].filter((t) => t >= pod.from).sort((a, b) => a - b);
  const states = [];
  for (let i = 0; i + 1 < times.length; i++) {
    const is = stateAt(pod, times[i]);
    if (states.at(-1)?.is === is) states.at(-1).to = times[i + 1];
    else states.push({ from: times[i], to: times[i + 1], is });
  }
  return states;
}
function stateAt(pod, t) {
  if (during(pod.dark, t)) return "dark";
  const life = during(pod.lives, t);
  if (!life) {
    if (during(pod.waits, t)) return "backoff";
    const count = latest(pod.counts, t);
    if (count && (count.phase === "Failed" || count.phase === "Succeeded")) return "done";
    return pod.lives.length && pod.lives[0].from <= t ? "between" : pod.placed <= t ? "creating" : "pending";
  }
  if (during(pod.stops, t)) return "stopping";
  const app = during(pod.app, t);
  if (app?.healthy === false) return app.busy ? "busy" : "sick";
  return life.started === null || life.started > t ? "starting" : "running";
}

/** All that the ward says about a pod at a moment. */
function podAt(pod, t) {
  const life = latest(pod.lives, t, "from");
  const count = latest(pod.counts, t) ?? { restarts: 0, ready: "", phase: "Pending" };
  const is = t >= pod.to ? "gone" : (latest(pod.states, t, "from")?.is ?? "pending");
  const since = { stopping: during(pod.stops, t), backoff: during(pod.waits, t) }[is];
  const probes = {};
  for (const [probe, ticks] of Object.entries(pod.probes)) {
    let last = latest(ticks, t);
    const held = last?.why === "on hold";
    if (last?.result === "skipped") last = ticks.slice(0, ticks.indexOf(last)).findLast((tick) => tick.result !== "skipped");
    if (last && life && last.t < life.from) last = undefined;
    probes[probe] = { last, held, failures: last?.result === "failure" ? last.run : 0 };
  }
  return {
    is, life: life?.n ?? 0, restarts: count.restarts, ready: !!during(pod.ready, t), of: count.ready, reason: life?.reason ?? count.phase,
    since: since ? t - since.from : 0, probes, service: during(pod.service, t)?.state ?? null, app: during(pod.app, t),
  };
}

/** What is wrong with a node at a moment, whether or not the cluster knows: dark, cut, mute or undefined. */
function troubleOf(story, name, t) {
  const now = story.trouble.filter((one) => one.node === name && one.from <= t && t < one.to);
  return (now.find((one) => one.is === "dark") ?? now.at(-1))?.is;
}

function lostUntil(service, t) {
  let lost = 0;
  for (const run of service?.traffic ?? []) {
    if (run.from >= t) break;
    if (run.lost) lost += run.lost * Math.ceil((Math.min(run.to, t) - run.from) / run.every);
  }
  return lost;
}
function tickText(tick, say) {
  const probe = say(`probe.${tick.probe}`);
  if (tick.result === "success") return say("event.pass", { probe });
  if (tick.result === "warning") return say("event.warning", { probe });
  if (tick.result === "unknown") return say("event.unknown", { probe });
  if (tick.result === "skipped") return say("event.skip", { probe, why: say.has(`skip.${tick.why}`) ? say(`skip.${tick.why}`) : tick.why });
  return say(tick.final ? "event.verdict" : tick.run > tick.of ? "event.fail.more" : "event.fail", { probe, n: tick.run, of: tick.of ?? "?" });
}
/** An app that only says it is not ready is not sick. */
const isBusy = (text) => String(text).split(", ").every((part) => part.startsWith("readyz ") || part === "redoing unfinished work");

/** What the app reports of itself; `healthz 500` is spelled out. */
function said(text, say) {
  return String(text).split(", ").map((part) => {
    const [, name, value] = /^(\w+) (\d{3}|hang)$/.exec(part) ?? [];
    return name ? say(value === "hang" ? "app.hangs" : "app.answers", { name, value }) : part;
  }).join(", ");
}
function describe(action, say) {
  const args = action.args ?? {}, fault = action.verb === "fault" ? args.kind : action.verb;
  if (action.verb !== "kill" && say.has(`fault.${fault}`)) return faultText(fault, String(args.target ?? args).split("/").pop(), args.for, say);
  if (action.verb === "http" && String(args.path).startsWith("/switch?")) {
    const turned = new Map(); // healthz=hang&work=hang: healthz, work → hang
    for (const [name, value] of String(args.path).slice(8).split("&").map((part) => part.split("="))) turned.set(value, [...(turned.get(value) ?? []), name]);
    return [...turned].map(([value, names]) => `${names.join(", ")} → ${value}`).join("; ");
  }
  if (typeof args === "string") return `${action.verb} ${args}`;
  if (action.verb === "exec") return [args.command].flat().join(" ");
  if (action.verb === "kill") return `kill -${args.signal ?? "KILL"}`;
  return `${action.verb} ${Object.entries(args).map(([name, value]) => `${name} ${value}`).join(", ")}`;
}

/** A fault in words. `seconds`: how long it lasts. */
function faultText(fault, target, seconds, say) {
  const what = say(`fault.${fault}`, { target: short(target) });
  return seconds ? say("faults.while", { what, t: say("s", { t: seconds }) }) : what;
}

/** A chain of causes, with neighbouring steps of one function taken together. */
function chained(steps) {
  const causes = [];
  for (const step of steps) {
    const last = causes.at(-1);
    if (last && step.function && last.function === step.function && last.source === step.source) last.steps.push(step);
    else causes.push({ source: step.source, function: step.function, steps: [step] });
  }
  return causes;
}

/** A generated name by its end, which tells siblings apart: `shop-88474b5c9-x7k2p` is `…-x7k2p`. */
const short = (name) => (name.length > 15 && name.includes("-") ? `…${name.slice(name.lastIndexOf("-"))}` : name);

/** Words by key, with {holes}. */
function speaker(words) {
  const say = (key, holes) => (words[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => (holes && name in holes ? holes[name] : `{${name}}`));
  say.has = (key) => key in words;
  /** The same as nodes, where <b> in the words (never in what fills the holes) is bold. */
  say.rich = (key, holes) => (words[key] ?? key).split(/<b>(.*?)<\/b>/).map((part, i) => {
    const text = part.replace(/\{(\w+)\}/g, (_, name) => (holes && name in holes ? holes[name] : ""));
    return i % 2 ? h("b", null, text) : text;
  });
  return say;
}

// ---------------------------------------------------------------------------------------------- questions

const podSpecOf = (manifest) => manifest.spec?.template?.spec ?? manifest.spec ?? {};
/** The watched container, and those of its name in other manifests: the knobs turn them all. */
const containersOf = (data, question) => data.at.places.map(([manifest, container]) => podSpecOf(question.manifests[manifest]).containers[container]);
const knobOf = (probe, knob) => probe?.[knob] ?? KNOBS[knob][0];

/** What the base scenario sets: the numbers of each probe, the app's habits, nothing switched. */
function settingOf(data) {
  const [container] = containersOf(data, data.base), probes = {}, habits = {};
  for (const probe of PROBES) {
    const given = container[`${probe}Probe`];
    probes[probe] = given ? Object.fromEntries(Object.keys(KNOBS).map((knob) => [knob, knobOf(given, knob)])) : null;
  }
  for (const habit of data.habits) {
    const args = container.args ?? [], i = args.indexOf(habit.arg);
    habits[habit.name] = i >= 0 ? args[i + 1] : habit.values[0][0];
  }
  return { probes, habits, flips: [] };
}

/** The question: the base scenario with what the reader has set. The same settings give the same bytes. */
function compose(data, setting, belief) {
  const question = structuredClone(data.base), given = settingOf(data);
  for (const container of containersOf(data, question)) {
    for (const probe of PROBES) {
      const key = `${probe}Probe`, wanted = setting.probes[probe];
      if (!wanted) { delete container[key]; continue; }
      container[key] ??= structuredClone(data.handlers[probe]);
      for (const knob of Object.keys(KNOBS)) {
        const was = given.probes[probe] ? given.probes[probe][knob] : KNOBS[knob][0];
        if (wanted[knob] !== was) container[key][knob] = wanted[knob];
      }
    }
    for (const habit of data.habits) {
      if (setting.habits[habit.name] === given.habits[habit.name]) continue;
      const args = (container.args ??= []), i = args.indexOf(habit.arg);
      if (i >= 0) args[i + 1] = setting.habits[habit.name];
      else args.push(habit.arg, setting.habits[habit.name]);
    }
  }
  const actions = setting.flips.map((flip) => ({ at: flip.at, ...actionOf(data, flip) }));
  question.actions = [...question.actions, ...actions].sort((a, b) => a.at - b.at);
  if (belief) question.belief = belief;
  return question;
}

/** What one of the reader's deeds is in a scenario: a switch that is turned, or a fault. */
function actionOf({ at: { name, pod: usual, port } }, { switch: turned, value, fault, pod = usual, node: machine, for: seconds }) {
  if (!fault) return { http: { method: "POST", path: `/switch?${turned}=${value}`, pod, port } };
  if (fault === "kill") return { kill: { container: name, pod } };
  if (fault.endsWith("Node")) return { [fault]: machine };
  const target = machine ? `node/${machine}` : typeof pod === "string" ? `pod/${pod}` : pod;
  return { fault: { kind: fault, target, ...(seconds && { for: seconds }) } };
}

/** JSON with sorted keys and no spaces: what a question is called. */
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value && typeof value === "object") {
    return `{${Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(",")}}`;
  }
  return JSON.stringify(value);
}

/** Half a period into each interval of the probe that looks at the switch: where flips take effect. */
function agreed(setting, choice, t) {
  const periods = choice.probes.map((probe) => setting.probes[probe]?.periodSeconds).filter(Boolean);
  const period = periods.length ? Math.min(...periods) : 10, half = Math.ceil(period / 2);
  return { first: half + Math.max(0, Math.ceil((t - half) / period - 1e-9)) * period, period };
}

/** Whoever can answer. The page's own model brings `ask`; behind anywidget's stands a kernel. Answers are kept. */
function asker(model, say) {
  const kept = new Map(), first = model.get("first");
  const answerer = model.ask ?? overComm(model, say);
  if (first) kept.set(canonical(model.get("data").base), Promise.resolve(JSON.parse(first)));
  return (question) => {
    const text = canonical(question);
    if (!kept.has(text)) {
      const coming = answerer(text).then((told) => JSON.parse(told));
      kept.set(text, coming);
      coming.catch(() => kept.delete(text));
    }
    return kept.get(text);
  };
}
function overComm(model, say) {
  const waiting = new Map();
  model.on("msg:custom", ({ to, text }) => {
    waiting.get(to)?.(text);
    waiting.delete(to);
  });
  let count = 0;
  return (text) => new Promise((resolve, reject) => {
    const id = ++count;
    waiting.set(id, resolve);
    setTimeout(() => { if (waiting.delete(id)) reject(new Error(say("kernel.silent"))); }, 20000); // gone, or busy with something else
    model.send({ ask: id, question: text });
  });
}

// --------------------------------------------------------------------------------------------- the time axis

let serial = 0;
const inkMeter = globalThis.document?.createElement("canvas").getContext("2d");
const inkWidths = new Map();
function inkWidth(text, font = "11.5px") {
  const key = `${font}|${text}`;
  if (!inkWidths.has(key)) {
    if (inkMeter) inkMeter.font = `${font} system-ui, sans-serif`;
    inkWidths.set(key, inkMeter ? inkMeter.measureText(text).width : text.length * 6);
  }
  return inkWidths.get(key);
}

class Strip {
  constructor(host, say, hooks) {
    this.say = say;
    this.hooks = hooks;
    this.id = `m${++serial}`;
    this.names = h("div", { class: "names", "aria-hidden": "true" });
    this.svg = s("svg", { role: "img" });
    this.knob = h("div", { class: "knob", role: "slider", tabindex: "0", "aria-label": say("playhead"), "aria-orientation": "horizontal" });
    this.flag = h("div", { class: "flag", role: "slider", tabindex: "0", "aria-label": say("mark"), "aria-orientation": "horizontal" });
    this.stage = h("div", { class: "stage" }, this.svg, this.flag, this.knob);
    this.scroll = h("div", { class: "scroll" }, this.stage);
    this.tip = h("div", { class: "tip", role: "presentation", hidden: true });
    this.root = h("div", { class: "strip", role: "group", "aria-label": say("strip") }, this.names, this.scroll, this.tip);
    host.append(this.root);
    this.#listen();
  }

  x(t) { return this.left + t * this.scale; }
  time(x) { return clamp((x - this.left) / this.scale, 0, this.story.until); }

  /** Draw a story, all of it; `show` then uncovers what the playhead has reached. */
  layout(story, { pod, ghost, belief, setting, asks, started }) {
    Object.assign(this, { story, pod, ghost, asks });
    const { say } = this, until = story.until, room = this.scroll.clientWidth || 600;
    this.left = 24;
    this.room = room;
    this.scale = Math.max((room - this.left - 24) / until, room < 520 ? Math.min(4.6, 1500 / until) : Math.min(1.6, 1500 / until));
    this.width = Math.max(room, Math.ceil(this.left + until * this.scale + 24));
    this.usual = Math.round(Math.min(until * 0.55, this.time(Math.max(room * 0.6, this.x(started) + 40)))); // where a mark waits to be put: in sight
    this.rows = [];
    this.losses = [];
    this.plans = null;
    this.scene = s("g", { "clip-path": `url(#${this.id}seen)` });
    let y = asks ? 36 : 12;
    this.top = y - 4;
    const row = (key, name, height, draw, mine) => {
      this.rows.push({ key, name, y, height, middle: draw(y), mine });
      y += height;
    };
    const events = story.events;
    if (events.some((event) => event.type === "flip") || setting.flips.length) {
      const places = this.#places(events.filter((event) => event.type === "flip"));
      row("flips", say("lane.flips"), 25 + 19 * Math.max(0, ...places.map(({ level }) => level)), (at) => this.#flips(places, at));
    }
    if (pod?.app.length) row("app", say("lane.app"), 26, (at) => this.#app(pod, at));
    for (const probe of PROBES) if (setting.probes[probe] && pod) row(probe, say(`lane.${probe}`), 31, (at) => this.#ticks(pod.probes[probe] ?? [], at));
    row("container", say("lane.container"), 37, (at) => this.#lives(pod, at));
    row("ready", say("lane.ready"), 18, (at) => this.#thin(pod?.ready ?? [], at));
    const service = [...story.services.values()].find((one) => one.traffic.length) ?? [...story.services.values()][0];
    this.service = service;
    if (service) row("service", say("lane.service"), 18, (at) => this.#thin(pod?.service ?? [], at));
    if (service?.traffic.length) row("requests", say("lane.requests"), 47, (at) => this.#requests(service, at));
    const machine = pod?.node, health = story.nodes.get(machine) ?? [], trouble = story.trouble.filter((one) => one.node === machine);
    if (trouble.length || health.some((band) => band.status !== "True")) row(`node:${machine}`, say("lane.node"), 28, (at) => this.#node(health, trouble, at));
    for (const other of story.pods.values()) if (other !== pod) row(`pod:${other.name}`, short(other.name), 24, (at) => this.#other(other, at));
    if (ghost) row("ghost", say("belief.lane"), 46, (at) => this.#ghost(ghost, belief, at), true);
    this.rows.push({ key: "why", name: say("lane.why"), y, height: 22, middle: y + 11 });
    y += 22;
    this.bottom = y + 2;
    if (asks) y += 20;
    this.axis = y + 14;
    this.height = y + 32;
    this.#assemble();
  }

  #assemble() {
    const { id, width, height, bottom, top, story } = this;
    const until = story.until, right = this.x(until);
    const step = [5, 10, 20, 30, 60, 120, 300, 600].find((one) => one * this.scale >= 40) ?? 1200;
    const grid = s("g", {});
    for (let t = 0; t <= until; t += step) {
      const x = this.x(t);
      grid.append(s("line", { class: "grid", x1: x, x2: x, y1: top, y2: bottom }));
      grid.append(s("text", { class: "tick", x, y: this.axis, "text-anchor": "middle" }, String(t)));
    }
    const pattern = (name, size, angle, mark) => s("pattern",
      { id: name, width: size, height: size, patternUnits: "userSpaceOnUse", patternTransform: `rotate(${angle})` },
      s("rect", { width: size, height: size, class: `${name}-b` }), mark);
    const defs = s("defs", {},
      pattern("hatch", 6, 45, s("line", { y2: 6, class: "hatch-l" })),
      pattern("busy", 7, -45, s("line", { y2: 7, class: "busy-l" })),
      pattern("lost", 4, 45, s("line", { y2: 4, class: "lost-l" })),
      pattern("dots", 6, 0, s("circle", { cx: 3, cy: 3, r: 0.9, class: "dots-l" })),
      s("clipPath", { id: `${id}seen` }, (this.seenRect = s("rect", { x: -10, y: -10, height: height + 20, width: 0 }))));
    this.future = s("rect", { class: "future", y: top, height: bottom - top });
    this.dim = s("rect", { class: "dim", y: top, height: bottom - top });
    this.pulse = s("circle", { class: "probe-now" });
    this.chosen = s("rect", { class: "chosen", rx: 7 });
    this.chain = s("g", { class: "chain" });
    this.mark = s("g", { class: "mark" }, s("line", { y1: 14, y2: bottom + 4 }));
    this.realBox = s("rect", { y: 2, height: 24, rx: 3 });
    this.realText = s("text", { y: 18 });
    this.real = s("g", { class: "real" }, s("line", { y1: 14, y2: bottom + 4 }), this.realBox, this.realText);
    this.diff = s("g", { class: "diff" }, s("path", {}), s("path", { class: "head" }), s("text", { "text-anchor": "middle" }));
    this.head = s("line", { class: "head-line", y1: top, y2: this.axis - 6 });
    const covered = [grid, this.scene, ...this.losses.map((one) => one.text)], veil = [this.future, this.dim];
    const above = [this.mark, this.plans ?? s("g", {}), this.diff, this.real, this.pulse, this.chain, this.chosen, this.head];
    this.svg.replaceChildren(defs, ...covered, ...veil, ...above);
    this.svg.setAttribute("width", width);
    this.svg.setAttribute("height", height);
    this.stage.style.cssText = `width:${width}px;height:${height}px`;
    this.future.setAttribute("width", Math.max(0, right));
    this.names.style.height = `${height}px`;
    this.names.replaceChildren(...this.rows.map((row) => {
      const name = h("div", { class: row.mine ? "mine" : null, title: row.name }, row.name);
      name.style.top = `${row.middle}px`;
      return name;
    }));
  }

  /** Put the parts that move where the playhead is. Called on every frame: cheap, and reads nothing back. */
  show(view) {
    const { story, say } = this, { t, seen } = view, seenX = this.x(seen), x = this.x(t);
    set(this.seenRect, "width", Math.max(0, seenX + 10));
    set(this.future, "x", seenX);
    set(this.future, "width", Math.max(0, this.x(story.until) - seenX));
    set(this.dim, "x", x);
    set(this.dim, "width", Math.max(0, seenX - x));
    set(this.head, "x1", x);
    set(this.head, "x2", x);
    this.knob.style.transform = `translate(${Math.round(x * 10) / 10}px, ${this.axis - 16}px) translateX(-50%)`;
    set(this.knob, "text", tenths(t));
    this.#showLost(seen);
    this.#showPulse(view);
    this.#showMarks(view);
    this.#showChosen(view);
    if (view.follow) this.bring(t);
    set(this.svg, "aria-label", say("strip.label", { pod: this.pod?.name ?? "", t: say("s", { t: trim(seen) }), events: view.known }));
  }

  /** Scrolls the axis, where it is wider than its place, until a moment is well in sight. */
  bring(t) {
    const x = this.x(t), room = this.scroll.clientWidth, at = x - this.scroll.scrollLeft;
    if (this.width > room && (at > room * 0.8 || at < 30)) this.scroll.scrollLeft = x - room * 0.45;
  }

  /** How many requests each stretch has lost so far: the newest counts up with the playhead, and never runs ahead of it. */
  #showLost(seen) {
    let free = this.left - 8;
    for (const { loss, before, text } of this.losses) {
      const end = Math.min(loss.to, seen), n = seen > loss.from ? lostUntil(this.service, end) - before : 0;
      const words = this.say("lost", { n }), half = inkWidth(words, "650 11.5px") / 2;
      const middle = Math.max(Math.min((this.x(loss.from) + this.x(end)) / 2, seen < loss.to ? this.x(end) - half : Infinity), this.left - 8 + half);
      const shown = n > 0 && middle - half >= free && middle + half < this.width && middle + half <= this.x(seen) + 1;
      set(text, "text", shown ? words : "");
      set(text, "x", middle);
      if (shown) free = middle + half + 6;
    }
  }

  #showPulse({ t, playing, speed, calm }) {
    let found;
    if (playing && !calm && this.pod) {
      for (const row of this.rows) {
        const tick = this.pod.probes[row.key] && latest(this.pod.probes[row.key], t);
        if (tick && tick.result !== "skipped" && t - tick.t < 0.45 * speed) found = { x: this.x(tick.t), y: row.middle, age: (t - tick.t) / (0.45 * speed) };
      }
    }
    set(this.pulse, "visibility", found ? "visible" : "hidden");
    if (!found) return;
    set(this.pulse, "cx", found.x);
    set(this.pulse, "cy", found.y);
    set(this.pulse, "r", 5 + 12 * found.age);
    set(this.pulse, "opacity", 1 - found.age);
  }

  #showMarks({ mark, goal, resolved }) {
    const { say } = this;
    if (!this.asks) { this.flag.hidden = true; this.mark.style.display = this.real.style.display = this.diff.style.display = "none"; return; }
    const until = this.story.until, placed = mark.t !== null, never = mark.t === NEVER;
    const mineX = this.x(placed ? (never ? until : mark.t) : this.usual);
    const flagText = !placed ? say("mark.flag.open") : never ? say("mark.flag.never") : say("mark.flag", { t: trim(mark.t) });
    const realX = this.x(goal ? goal.t : until), realText = goal ? say("real.flag", { t: tenths(goal.t) }) : say("real.flag.never");
    const flagWidth = inkWidth(flagText, "600 12px") + 26, realWidth = inkWidth(realText, "650 11.5px") + 20;
    let flagLeft = mineX + flagWidth > (placed ? this.width : this.room), realLeft = realX + realWidth > this.width;
    if (resolved && placed) {
      if (mineX <= realX && !flagLeft && mineX + flagWidth > realX - (realLeft ? realWidth : 0)) flagLeft = true;
      if (mineX > realX && !realLeft && realX + realWidth > mineX) realLeft = true;
      if (flagLeft && mineX - flagWidth < 0) flagLeft = false;
    }
    set(this.flag, "text", flagText);
    this.flag.hidden = resolved && !placed;
    this.flag.classList.toggle("open", !placed);
    this.flag.classList.toggle("left", flagLeft);
    this.flag.style.transform = `translate(${Math.round(mineX)}px, 2px)${flagLeft ? " translateX(-100%)" : ""}`;
    this.mark.style.display = this.flag.hidden ? "none" : "";
    this.mark.setAttribute("transform", `translate(${mineX},0)`);
    this.real.style.display = resolved ? "" : "none";
    this.diff.style.display = resolved && placed && goal && !never ? "" : "none";
    if (!resolved) return;
    this.real.firstChild.setAttribute("transform", `translate(${realX},0)`);
    set(this.realText, "text", realText);
    set(this.realText, "x", realLeft ? realX - realWidth + 10 : realX + 10);
    set(this.realBox, "x", realLeft ? realX - realWidth : realX);
    set(this.realBox, "width", realWidth);
    const [line, head, text] = this.diff.children, y = this.bottom + 13, way = Math.sign(realX - mineX), far = Math.abs(realX - mineX);
    const words = say("s", { t: tenths(Math.abs((goal?.t ?? 0) - (never ? 0 : mark.t))) });
    const beside = far < inkWidth(words) + 26; // no room on the arrow: the words stand behind its head
    line.setAttribute("d", far > 3 ? `M${mineX},${y}H${realX - way * 6}` : "");
    head.setAttribute("d", far > 9 ? `M${realX},${y}l${-way * 9},-4.5v9z` : "");
    set(text, "text", words);
    set(text, "x", beside ? Math.max(realX, mineX) + 8 + inkWidth(words) / 2 : (mineX + realX) / 2);
    set(text, "y", beside ? y + 4 : y - 4);
  }

  /** The causes that the panel lists, by their numbers, where they happened. */
  showChain(causes) {
    const y = this.rows.find((row) => row.key === "why").middle, found = [];
    causes.forEach(({ steps }, i) => {
      for (const { t } of steps) {
        if (t === null || t === undefined) continue;
        const x = this.x(t), near = found.findLast((one) => Math.abs(one.x - x) < 17);
        if (near) near.to = i + 1;
        else found.push({ x, from: i + 1, to: i + 1 });
      }
    });
    if (found.length) found.at(-1).last = found.at(-1).to === causes.length;
    const xs = found.map((one) => one.x);
    this.chain.replaceChildren(...(found.length ? [s("path", { d: `M${Math.min(...xs)},${y}H${Math.max(...xs)}` })] : []), ...found.map(({ x, from, to, last }) => {
      const text = from === to ? String(from) : `${from}–${to}`, width = Math.max(17, inkWidth(text, "11px") + 9);
      return s("g", { class: last ? "last" : null }, s("rect", { x: x - width / 2, y: y - 8.5, width, height: 17, rx: 8.5 }), s("text", { x, y: y + 4, "text-anchor": "middle" }, text));
    }));
  }

  #showChosen({ chosen, seen }) {
    const row = chosen && chosen.t <= seen + 1e-9 && this.rows.find((one) => one.key === (chosen.pod && chosen.pod !== this.pod?.name ? `pod:${chosen.pod}` : chosen.lane));
    set(this.chosen, "visibility", row ? "visible" : "hidden");
    if (!row) return;
    set(this.chosen, "x", this.x(chosen.t) - 9);
    set(this.chosen, "y", row.middle - 11);
    set(this.chosen, "width", 18);
    set(this.chosen, "height", 22);
  }

  // ---- lanes: each draws itself at y and returns the height of its middle

  /** A band with words in it, as many as fit; they stand at its beginning, so they can be read while it grows. */
  #band(group, from, to, y, height, look, labels = [], ink = "") {
    const x = this.x(from), width = Math.max(1.5, this.x(Math.min(to, this.story.until)) - x);
    group.append(s("rect", { class: look, x, y, width, height, rx: Math.min(5, width / 2) }));
    const label = labels.find((text) => text && inkWidth(text) + 14 < width);
    if (label) group.append(s("text", { class: `inband ${ink}`, x: x + 7, y: y + height / 2 + 4 }, label));
  }

  /** Where the labels of what was switched have room: one that would lie on another goes a line down. */
  #places(flips) {
    const ends = [];
    return flips.map(({ t, text }) => {
      const x = this.x(t), width = inkWidth(text) + 12, left = x + width > this.width ? x - width : x;
      const free = ends.findIndex((end) => end <= left), level = free < 0 ? ends.length : free;
      ends[level] = left + width + 2;
      return { x, text, width, left, level };
    });
  }

  #flips(places, y) {
    this.plans = s("g", {});
    const floor = y + 46 + 19 * Math.max(0, ...places.map(({ level }) => level));
    // What the reader (or the scenario) has planned is known, so it shows ahead of the playhead too.
    for (const { x } of places) this.plans.append(s("line", { class: "flag-act", x1: x, x2: x, y1: y, y2: floor }));
    for (const { text, width, left, level } of places) {
      this.plans.append(s("rect", { class: "act", x: left, y: y + 1 + 19 * level, width, height: 17, rx: 3 }));
      this.plans.append(s("text", { class: "inband", x: left + 6, y: y + 13.5 + 19 * level }, text));
    }
    return y + 10;
  }

  #app(pod, y) {
    const { say } = this;
    for (const band of pod?.app ?? []) {
      const is = band.healthy ? "healthy" : band.busy ? "busy" : "sick", look = { healthy: "b-ok", busy: "b-busy", sick: "b-sick" }[is];
      this.#band(this.scene, band.from, band.to, y + 1, 18, look, band.healthy ? [say("app.healthy")] : [say(`app.${is}.text`, { text: band.text }), band.text, say(`app.${is}`)], is);
    }
    return y + 10;
  }

  #ticks(ticks, y) {
    const paths = { "t-skip": "", "t-pass": "", "t-warn": "", "t-fail": "", "t-verdict": "" }, middle = y + 19;
    const ring = (x, r) => `M${x - r},${middle}a${r},${r} 0 1,0 ${2 * r},0a${r},${r} 0 1,0 ${-2 * r},0`;
    const tight = ticks.length > 1 && ticks.length * 9 > this.story.until * this.scale;
    let crowd = -Infinity;
    for (const tick of ticks) {
      const x = this.x(tick.t), arm = tight ? 3.2 : 4.6;
      if (tick.result === "skipped") paths["t-skip"] += ring(x, tight ? 1.8 : 3.2);
      else if (tick.result === "success") paths["t-pass"] += ring(x, tight ? 3 : 4.6);
      else if (tick.result === "warning") paths["t-warn"] += ring(x, 4);
      else if (tick.result === "failure") {
        paths["t-fail"] += `M${x - arm},${middle - arm}L${x + arm},${middle + arm}M${x - arm},${middle + arm}L${x + arm},${middle - arm}`;
        if (tick.final) paths["t-verdict"] += `M${x - 8},${middle - 8}h16v16h-16z`;
        const counts = tick.run <= (tick.of ?? 1); // a run beyond the verdict says nothing new
        if (counts && (x - crowd > 9 || tick.final)) {
          this.scene.append(s("text", { class: `t-count${tick.final ? " v" : ""}`, x, y: middle - (tick.final ? 11 : 9), "text-anchor": "middle" }, String(tick.run)));
          crowd = x;
        }
      } else this.scene.append(s("text", { class: "t-count", x, y: middle + 4, "text-anchor": "middle" }, "?"));
    }
    for (const [look, d] of Object.entries(paths)) if (d) this.scene.append(s("path", { class: look, d }));
    return middle;
  }

  #lives(pod, y) {
    const { say } = this, top = y + 14, grace = this.hooks.grace();
    for (const life of pod?.lives ?? []) {
      const stop = pod.stops.find((one) => one.from >= life.from && one.from < life.to);
      const started = life.started ?? Infinity, end = stop ? stop.from : life.to;
      if (started > life.from) {
        this.#band(this.scene, life.from, Math.min(started, end), top, 18, "b-run", [say("life.starting", { n: life.n }), say("life", { n: life.n })]);
        if (started < end) this.scene.append(s("line", { class: "restart", "stroke-width": 1.4, x1: this.x(started), x2: this.x(started), y1: top, y2: top + 18 }));
      } else this.#band(this.scene, life.from, end, top, 18, "b-run", [say("life", { n: life.n }), String(life.n)]);
      if (stop) this.#band(this.scene, stop.from, life.to, top, 18, "b-term", [say("stopping", { grace }), say("stopping.short")]);
    }
    for (const wait of pod?.waits ?? []) this.#band(this.scene, wait.from, wait.to, top, 18, "b-held", [say("backoff", { s: wait.length }), say("backoff.short")], "held");
    for (const dark of pod?.dark ?? []) this.#band(this.scene, dark.from, dark.to, top, 18, "b-held", [say("trouble.dark")], "held");
    let free = -Infinity;
    for (const life of pod?.lives ?? []) {
      if (life.n < 2) continue;
      const x = this.x(life.from), text = say("restart", { n: life.n - 1 });
      this.scene.append(s("line", { class: "restart", x1: x, x2: x, y1: top - 5, y2: top + 23 }));
      if (x < free) continue;
      const left = x + inkWidth(text) + 8 > this.width;
      this.scene.append(s("text", { class: "note", x: left ? x - 5 : x + 5, y: top - 4, "text-anchor": left ? "end" : "start" }, text));
      free = x + inkWidth(text) + 12;
    }
    return top + 9;
  }

  #thin(bands, y) {
    for (const band of bands) this.#band(this.scene, band.from, band.to, y + 3, 10, band.state === "leaving" ? "b-leave" : "b-thin");
    return y + 8;
  }

  #requests(service, y) {
    const floor = y + 43, peak = Math.max(1, ...service.traffic.map((run) => run.sent)), paths = { served: "", lost: "" };
    for (const run of service.traffic) {
      const step = Math.max(run.every, Math.ceil(2.6 / this.scale / run.every) * run.every); // bars at least 2 px wide
      const gap = step * this.scale > 4 ? 1.2 : 0.6;
      for (let t = run.from; t < Math.min(run.to, this.story.until) - 1e-6; t += step) {
        const x = this.x(t) + gap / 2, width = Math.min(step, run.to - t) * this.scale - gap, up = (26 * run.served) / peak, down = (26 * run.lost) / peak;
        if (up) paths.served += `M${x},${floor}v${-up}h${width}v${up}z`;
        if (down) paths.lost += `M${x},${floor - up}v${-down}h${width}v${down}z`;
      }
    }
    this.scene.append(s("path", { class: "served", d: paths.served }), s("path", { class: "lost", d: paths.lost }));
    this.losses = service.losses.map((loss) => ({ loss, before: lostUntil(service, loss.from), text: s("text", { class: "note bad", y: y + 13, "text-anchor": "middle" }) }));
    return floor - 13;
  }

  /** What the API says of the node, with a line under the time something is wrong with it. */
  #node(health, trouble, y) {
    const looks = { True: "b-ok", False: "b-busy", Unknown: "b-sick" }, inks = { False: "busy", Unknown: "sick" };
    for (const { from, to, status } of health) this.#band(this.scene, from, to, y + 2, 18, looks[status], [this.say(`node.is.${status}`)], inks[status]);
    for (const { from, to } of trouble) this.#band(this.scene, from, to, y + 22, 3, "lost-b");
    return y + 11;
  }

  /** Another pod, in one lane: its lives, with a line under the time it is Ready. */
  #other(pod, y) {
    for (const state of pod.states) {
      const look = { running: "b-ok", busy: "b-busy", sick: "b-sick", starting: "b-run", stopping: "b-term", backoff: "b-held", dark: "b-held" }[state.is];
      if (look) this.#band(this.scene, state.from, state.to, y + 3, 12, look);
    }
    for (const band of pod.ready) this.#band(this.scene, band.from, band.to, y + 16.5, 3, "b-thin");
    return y + 10;
  }

  #ghost(ghost, belief, y) {
    const { say } = this, group = s("g", { class: "ghost" }), pod = ghost.pods.get(this.pod?.name) ?? [...ghost.pods.values()][0];
    this.plans ??= s("g", {}); // its words are no secret, what comes of it is
    this.plans.append(s("g", { class: "ghost" }, s("text", { x: this.left + 2, y: y + 13 }, `“${belief.says}”`)));
    for (const life of pod?.lives ?? []) {
      const stop = pod.stops.find((one) => one.from >= life.from && one.from < life.to);
      this.#band(group, life.from, stop ? stop.from : life.to, y + 18, 16, "", [say("life", { n: life.n }), String(life.n)]);
      if (stop) this.#band(group, stop.from, life.to, y + 18, 16, "g-term", [say("stopping.short")]);
    }
    for (const band of pod?.ready ?? []) group.append(s("line", { class: "g-thin", x1: this.x(band.from), x2: this.x(Math.min(band.to, this.story.until)), y1: y + 40, y2: y + 40 }));
    this.scene.append(group);
    return y + 26;
  }

  // ---- the pointer

  /** What lies at a point: {t, lane, text, id …}; nothing of what is still veiled. */
  at(x, y, seen) {
    const { say, pod, story } = this, row = this.rows.find((one) => y >= one.y && y < one.y + one.height), t = (x - this.left) / this.scale;
    if (!row || t > seen) return null;
    const owner = row.key.startsWith("pod:") ? story.pods.get(row.key.slice(4)) : pod;
    const near = (list) => list?.filter((one) => one.t <= seen && Math.abs(one.t - t) * this.scale < 13).sort((a, b) => Math.abs(a.t - t) - Math.abs(b.t - t))[0];
    const span = (band) => (band.to <= seen ? `${trim(band.from)} … ${say("s", { t: trim(band.to) })}` : `${trim(band.from)} … `);
    const from = (band, lane, text, more) => band && { t: band.from, id: band.id, lane, text, pod: owner?.name, span: span(band), ...more };
    if (row.key === "flips") return near(story.events.filter((event) => event.type === "flip"));
    if (PROBES.includes(row.key)) {
      const tick = near(owner?.probes[row.key]);
      return tick && { t: tick.t, id: tick.id, lane: row.key, text: tickText(tick, say), detail: tick.output, pod: owner.name };
    }
    if (row.key === "requests") {
      const run = latest(this.service.traffic, t, "from");
      return run && t < run.to ? { t: Math.floor(t), id: run.id, lane: "requests", text: say("event.traffic", run) } : null;
    }
    const point = near(story.events.filter((event) => event.lane === row.key && event.pod === owner?.name));
    if (row.key === "container" || row.key.startsWith("pod:")) {
      if (point && Math.abs(point.t - t) * this.scale < 7) return point;
      const held = during(owner?.waits ?? [], t), stop = during(owner?.stops ?? [], t), life = during(owner?.lives ?? [], t);
      if (held) return from(held, "container", say("backoff", { s: held.length }));
      if (stop) return from(stop, "container", say("stopping", { grace: this.hooks.grace() }), { detail: stop.message });
      return from(life, "container", say("life", { n: life?.n })) ?? point ?? null;
    }
    if (row.key === "app") {
      const band = during(owner?.app ?? [], t), is = band?.healthy ? "app.healthy" : band?.busy ? "app.busy.text" : "app.sick.text";
      return from(band, "app", say(is, band)) ?? null;
    }
    if (row.key.startsWith("node:")) {
      const band = during(story.nodes.get(owner?.node) ?? [], t);
      return from(band, row.key, say(`event.node.${band?.status}`, { node: owner?.node })) ?? null;
    }
    if (row.key === "ready") return from(during(owner?.ready ?? [], t), "ready", say("event.ready")) ?? point ?? null;
    if (row.key === "service") { const band = during(owner?.service ?? [], t); return from(band, "service", say(`event.${band?.state}`)) ?? point ?? null; }
    return null;
  }

  #listen() {
    const { hooks } = this;
    const place = (event) => { const box = this.svg.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
    this.stage.addEventListener("pointermove", (event) => {
      if (this.dragging || event.pointerType === "touch") return;
      this.pointer = [place(event), event];
      this.waiting ??= requestAnimationFrame(() => { this.waiting = null; this.#hover(...this.pointer); });
    });
    this.stage.addEventListener("pointerleave", () => { this.tip.hidden = true; });
    const drag = (element, move) => {
      element.addEventListener("pointerdown", (event) => {
        event.stopPropagation();
        event.preventDefault();
        element.focus({ preventScroll: true });
        element.setPointerCapture(event.pointerId);
        this.dragging = true;
      });
      element.addEventListener("pointermove", (event) => { if (element.hasPointerCapture(event.pointerId)) move(this.time(place(event)[0])); });
      for (const end of ["pointerup", "pointercancel"]) element.addEventListener(end, () => { this.dragging = false; });
    };
    drag(this.knob, (t) => hooks.seek(t));
    drag(this.flag, (t) => hooks.mark(Math.round(t)));
    this.stage.addEventListener("click", (event) => {
      if (event.target === this.knob || event.target === this.flag) return;
      const [x, y] = place(event);
      hooks.click(this.at(x, y, hooks.seen()), this.time(x), y < this.top, y > this.bottom);
    });
  }

  #hover([x, y], event) {
    const found = event.target === this.knob || event.target === this.flag ? null : this.at(x, y, this.hooks.seen());
    this.stage.style.cursor = found ? "pointer" : "";
    this.tip.hidden = !found;
    if (!found) return;
    const { say } = this, more = found.detail ? `\n${String(found.detail).trim().slice(0, 160)}` : "";
    this.tip.replaceChildren(`${found.span ?? say("s", { t: tenths(found.t) })}  ${found.text}${more}`, ...(this.hooks.why(found) ? [h("br"), h("small", null, say("why.click"))] : []));
    const box = this.root.getBoundingClientRect(), left = clamp(event.clientX - box.left + 12, 4, Math.max(4, box.width - this.tip.offsetWidth - 6));
    this.tip.style.left = `${left}px`;
    this.tip.style.top = `${event.clientY - box.top + 16}px`;
  }
}

// -------------------------------------------------------------------------------------------------- the ward

/** Shapes of a beat, as (share of the beat, height) points; nothing moves unless the playhead does. */
const BEATS = {
  ok: [[0.3, 0], [0.36, -4], [0.42, 0], [0.5, 0], [0.54, 5], [0.6, -21], [0.66, 8], [0.7, 0], [0.8, 0], [0.87, -5], [0.94, 0]],
  sick: [[0.3, 0], [0.42, 4], [0.5, -6], [0.6, 3], [0.7, 0]],
  wait: [[0.4, 0], [0.5, -5], [0.6, 5], [0.7, 0]],
};
const HEART = { running: "ok", busy: "ok", starting: "ok", sick: "sick", stopping: "wait" };
const ECG = { width: 240, pen: 232, height: 36, base: 23 };

/** The trace of the last `span` seconds up to t, as {look: path}. */
function trace(pod, t, span) {
  const beat = span / 4, x = (at) => ((at - t + span) / span) * ECG.pen, paths = {};
  for (const state of pod.states) {
    const from = Math.max(state.from, t - span), to = Math.min(state.to, t);
    if (to <= from) continue;
    const look = HEART[state.is] ?? "flat", points = [[from, 0]];
    for (let k = Math.ceil(from / beat - 0.3); BEATS[look] && (k + 0.3) * beat < to; k++) {
      for (const [share, up] of BEATS[look]) points.push([(k + share) * beat, up]);
    }
    let d = "", last = null;
    for (const [at, up] of points) {
      if (at > to) { // cut where the pen is
        if (last) { const part = (to - last[0]) / (at - last[0]); d += `L${x(to).toFixed(1)},${(ECG.base + last[1] + (up - last[1]) * part).toFixed(1)}`; }
        last = null;
        break;
      }
      d += `${d ? "L" : "M"}${x(at).toFixed(1)},${ECG.base + up}`;
      last = [at, up];
    }
    if (last) d += `L${x(to).toFixed(1)},${ECG.base + last[1]}`;
    paths[look] = (paths[look] ?? "") + d;
  }
  return paths;
}

class Ward {
  constructor(host, say, hooks) {
    this.say = say;
    this.hooks = hooks;
    this.root = h("div", { class: "ward", role: "group", "aria-label": say("ward") });
    host.append(this.root);
  }

  layout(story, setting) {
    const { say } = this;
    this.beds = new Map();
    this.homes = new Map();
    const nodes = [...story.nodes.keys()].filter((key) => [...story.pods.values()].some((pod) => pod.node === key)).sort();
    for (const key of [...nodes, null]) {
      const title = h("div", { class: "name" }), pods = h("div", { class: "pods" });
      this.homes.set(key, { title, pods, box: h("div", { class: "node" }, title, pods), bands: story.nodes.get(key) ?? [] });
    }
    for (const pod of story.pods.values()) this.beds.set(pod, this.#bed(pod, setting));
    this.services = [...story.services.values()].map((service) => {
      const one = { service, ready: h("span"), flow: h("div", { class: "flow", "aria-hidden": "true" }, h("i"), h("i")), rate: h("div"), total: h("div", { class: "total" }) };
      one.box = h("div", { class: "service" }, h("div", { class: "row" }, h("b", null, say("service", { name: service.name })), one.ready), one.flow, one.rate, one.total);
      return one;
    });
    this.root.classList.toggle("many", story.pods.size > 1);
    this.root.parentNode.classList.toggle("wide", story.pods.size > 2);
    this.root.replaceChildren(...[...this.homes.values()].map((home) => home.box), ...this.services.map((one) => one.box));
  }

  #bed(pod, setting) {
    const { say } = this, paths = {};
    for (const look of ["flat", "wait", "sick", "ok"]) paths[look] = s("path", { class: look });
    const pen = s("circle", { r: 2.6, cx: ECG.pen });
    const bed = { paths, pen, ready: h("span"), is: h("span", { class: "is" }), restarts: h("span", { class: "pill" }), counters: {} };
    const counters = Object.keys(pod.probes).sort((a, b) => PROBES.indexOf(b) - PROBES.indexOf(a)).map((probe) => {
      const of = setting.probes[probe]?.failureThreshold ?? 3;
      const dots = Array.from({ length: Math.min(of, 10) }, () => h("i"));
      const one = { of, dots, box: h("span", { class: "dots", role: "img" }, dots), last: h("span", { class: "last" }) };
      bed.counters[probe] = one;
      return h("span", { class: "counter" }, h("span", null, say(`probe.${probe}`)), one.box, one.last);
    });
    bed.box = h("button", { class: "pod", type: "button", "data-keeps": pod.name, title: say("pod.show", { pod: pod.name }), onclick: () => this.hooks.choose(pod) },
      h("span", { class: "row" }, h("span", { class: "name" }, short(pod.name)), bed.ready),
      s("svg", { class: "ecg", viewBox: `0 0 ${ECG.width} ${ECG.height}`, preserveAspectRatio: "none", "aria-hidden": "true" }, Object.values(paths), pen),
      h("span", { class: "row" }, bed.is, bed.restarts), counters);
    return bed;
  }

  show({ t, story, pod: chosen, speed }) {
    const { say } = this;
    for (const [key, home] of this.homes) {
      const status = during(home.bands, t)?.status ?? "True", wrong = troubleOf(story, key, t);
      const words = [key ?? say("node.none"), wrong && say(`trouble.${wrong}`), status !== "True" && say(`node.is.${status}`)];
      set(home.title, "text", words.filter(Boolean).join(" · "));
      const unheard = wrong === "cut" || status === "Unknown";
      set(home.box, "class", `node${status === "True" ? "" : " lost"}${unheard ? " unheard" : ""}${wrong === "dark" ? " dark" : ""}`);
      home.used = 0;
    }
    for (const [pod, bed] of this.beds) {
      const here = t >= pod.from && t < pod.to;
      bed.box.hidden = !here;
      if (!here) continue;
      const home = this.homes.get(t >= pod.placed ? pod.node : null);
      home.used++;
      if (bed.box.parentNode !== home.pods) home.pods.append(bed.box);
      this.#draw(pod, bed, t, speed);
      set(bed.box, "aria-pressed", pod === chosen);
    }
    for (const [key, home] of this.homes) home.box.hidden = key === null && !home.used;
    for (const one of this.services) {
      const run = latest(one.service.traffic, t, "from"), slice = latest(one.service.slices, t), lost = lostUntil(one.service, t);
      set(one.ready, "text", say("service.ready", { n: slice?.ready ?? 0, of: slice?.all ?? 0 }));
      one.flow.hidden = one.rate.hidden = one.total.hidden = !one.service.traffic.length;
      const [served, missed] = one.flow.children;
      served.style.flex = String(run?.served ?? 0);
      missed.style.flex = String(run?.lost ?? 0);
      set(one.rate, "text", say("service.rate", run ?? { sent: 0, served: 0, lost: 0 }));
      set(one.total, "text", lost ? say("service.lost", { n: lost }) : say("service.lost.none"));
      set(one.total, "class", lost ? "total some" : "total");
    }
  }

  #draw(pod, bed, t, speed) {
    const { say } = this, now = podAt(pod, t);
    set(bed.box, "data-is", now.is);
    set(bed.ready, "class", now.ready ? "pill ok" : "pill");
    set(bed.ready, "text", say(now.ready ? "pod.ready" : "pod.unready", { ready: now.of }));
    const since = say("s", { t: Math.floor(now.since) });
    set(bed.is, "text", say(`is.${now.is}`, { n: now.life, t: since, reason: now.reason }));
    set(bed.restarts, "text", say("pod.restarts", { n: now.restarts }));
    const paths = trace(pod, t, 4 * speed);
    for (const [look, path] of Object.entries(bed.paths)) set(path, "d", paths[look] ?? "");
    const beating = HEART[now.is];
    const tail = beating && paths[beating] ? paths[beating].slice(paths[beating].lastIndexOf(",") + 1) : ECG.base;
    set(bed.pen, "cy", tail);
    for (const [probe, one] of Object.entries(bed.counters)) {
      const seen = now.probes[probe], n = Math.min(seen.failures, one.of);
      one.dots.forEach((dot, i) => set(dot, "class", i < n ? "f" : ""));
      set(one.box, "class", n >= one.of ? "dots full" : "dots");
      set(one.box, "aria-label", say("counter", { n, of: one.of }));
      const ago = seen.last && Math.floor(t - seen.last.t);
      set(one.last, "text", !seen.last ? say("counter.none") : say("counter.last", { what: say(`last.${seen.last.result}`), t: say("s", { t: ago }) }));
    }
  }
}

// -------------------------------------------------------------------------------------------------- the desk

class Desk {
  constructor(host, say, data, hooks) {
    Object.assign(this, { say, data, hooks, id: `d${++serial}` });
    this.root = h("div", { class: "desk" });
    this.chips = h("div", { class: "chips drops" });
    this.presets = h("div", { class: "chips presets" });
    this.knobs = h("div", { class: "knobs", role: "group" });
    this.problem = h("p", { class: "problem", role: "alert", hidden: true });
    this.formulas = h("div", {});
    this.switches = h("div", { class: "switches" });
    this.root.append(this.switches, data.faults ? this.#faults(data.faults) : "", this.chips, this.knobs, this.problem, this.formulas, this.presets, hooks.belief ?? "");
    host.append(this.root);
    this.segments = [...data.switches, ...data.habits].map((one) => this.#segment(one));
    this.presets.hidden = !data.presets?.length;
    if (data.presets?.length) {
      this.presetButtons = [{ label: say("preset.default") }, ...data.presets].map((preset) => h("button", { type: "button", onclick: () => hooks.preset(preset) }, preset.label));
      this.presets.append(h("span", { class: "soft" }, say("presets")), ...this.presetButtons);
    }
  }

  #segment(choice) {
    const labels = choice.values.map(([value, text]) => {
      const soon = h("small");
      const input = h("input", { type: "radio", name: `${this.id}${choice.name}`, value, onchange: () => this.hooks.turn(choice, value) });
      return { value, input, soon, label: h("label", {}, input, text, soon) };
    });
    this.switches.append(h("fieldset", {}, h("legend", {}, choice.label), h("div", { class: "seg" }, labels.map((one) => one.label))));
    return { choice, labels };
  }

  /** "Do something": which fault, for how long, and a button that names the second. */
  #faults(faults) {
    const { say, hooks } = this, chosen = () => faults.find((one) => one.name === what.value);
    const what = h("select", { "aria-label": say("faults.what"), onchange: () => { lasting.hidden = !chosen().lasts; } });
    const options = faults.map((one) => h("option", { value: one.name }));
    what.append(...options);
    const lasting = h("select", { "aria-label": say("faults.for"), hidden: !faults[0].lasts },
      LASTING.map((n) => h("option", { value: n }, n ? say("faults.for.some", { t: say("s", { t: n }) }) : say("faults.for.ever"))));
    const go = h("button", { type: "button", onclick: () => hooks.inflict(chosen(), lasting.hidden ? 0 : Number(lasting.value)) });
    this.deeds = { go, options, faults };
    return h("fieldset", { class: "faults" }, h("legend", {}, say("faults")), what, lasting, go);
  }

  /** The parts that follow the setting (the switches follow the playhead: `show`). */
  layout(setting, given, grace, hang) {
    const { say, hooks } = this;
    this.knobs.replaceChildren(h("span", { class: "corner" }), ...Object.keys(KNOBS).map((knob) => h("span", { class: "head" }, say(`knob.${knob}`))));
    for (const probe of ["liveness", "readiness", "startup"]) {
      const name = say(`probe.${probe}`), now = setting.probes[probe];
      const toggle = (key, text) => {
        const words = say(`probe.${key}.long`, { probe: name });
        return h("button", { class: key, type: "button", "data-keeps": probe, title: words, "aria-label": words, onclick: () => hooks.probe(probe, !now) }, text);
      };
      this.knobs.append(h("span", { class: now ? "probe" : "probe off" }, name, now && toggle("drop", "×")));
      if (!now) {
        this.knobs.append(h("span", { class: "none" }, say(`none.${probe}`), toggle("add", say("probe.add"))));
        continue;
      }
      for (const [knob, [, least, most]] of Object.entries(KNOBS)) {
        const fixed = knob === "successThreshold" && probe !== "readiness";
        const unit = knob.endsWith("Seconds") && h("span", { class: "unit soft" }, say("unit"));
        const look = given.probes[probe]?.[knob] === now[knob] ? null : "changed", label = `${name} ${knob}`;
        const input = !fixed && h("input", { type: "number", min: least, max: most, step: 1, value: now[knob], class: look, "aria-label": label, "data-keeps": label });
        if (input) input.addEventListener("change", () => this.#turn(probe, knob, input, now[knob], least, most));
        this.knobs.append(h("span", { class: "cell" }, fixed ? h("span", { class: "soft", title: say("knob.fixed") }, "1") : input, unit));
      }
    }
    this.formulas.replaceChildren(...this.#formulas(setting, grace, hang));
    const flips = [...setting.flips].sort((a, b) => a.at - b.at).map((flip) => {
      const text = say("flip", { t: say("s", { t: flip.at }), what: flip.fault ? hooks.deedText(flip) : said(`${flip.switch} ${flip.value}`, say) });
      return h("button", { type: "button", "data-keeps": "flips", "aria-label": say("flip.drop", { flip: text }), onclick: () => hooks.drop(flip) }, text);
    });
    this.chips.hidden = !flips.length;
    this.chips.replaceChildren(h("span", { class: "soft" }, say("flips")), ...flips);
    this.presetButtons?.forEach((button, i) => button.setAttribute("aria-pressed", String(hooks.isPreset(i ? this.data.presets[i - 1] : {}))));
  }

  #turn(probe, knob, input, old, least, most) {
    const value = Number(input.value), good = input.value.trim() !== "" && Number.isInteger(value) && value >= least && value <= most;
    this.problem.hidden = good;
    if (good) return this.hooks.knob(probe, knob, value);
    this.problem.textContent = this.say("knob.bad", { knob, min: least, max: most, old });
    input.value = old;
  }

  #formulas(setting, grace, hang) {
    const { say } = this, lines = [], { liveness, readiness } = setting.probes;
    const line = (...words) => lines.push(h("div", { class: "formula" }, ...words));
    const numbers = (probe, kind) => {
      const f = probe.failureThreshold, p = probe.periodSeconds, o = hang(kind) ? probe.timeoutSeconds : 0;
      const low = (f - 1) * p + o, high = f * p + o, habit = setting.habits.term;
      return { f, p, o, low, high, grace, first: habit === "ignore" ? low + grace : low, end: habit === "obey" ? high : high + grace };
    };
    const stop = { ignore: "formula.ignore", obey: "formula.obey" }[setting.habits.term] ?? "formula.stop";
    if (liveness) {
      const known = numbers(liveness, "liveness");
      line(say.rich(hang("liveness") ? "formula.hang" : "formula.liveness", known), " ", say.rich(stop, known));
    } else line(say.rich("formula.liveness.none"));
    if (readiness) line(say.rich(hang("readiness") ? "formula.readiness.hang" : "formula.readiness", numbers(readiness, "readiness")));
    return lines;
  }

  /** What each switch is at the playhead, and what has been ordered for the seconds after it; what can be done there. */
  show(state, at, target) {
    const { say } = this;
    if (this.deeds) {
      this.deeds.options.forEach((option, i) => set(option, "text", say(`fault.${option.value}`, { target: short(target(this.deeds.faults[i])) })));
      set(this.deeds.go, "text", say("faults.at", { t: say("s", { t: at }) }));
    }
    for (const { choice, labels } of this.segments) {
      const { value, soon } = state(choice);
      for (const one of labels) {
        const on = one.value === value, bad = choice.probes && one.value !== choice.values[0][0];
        set(one.label, "class", `${on ? "on" : ""}${on && bad ? " bad" : ""}${on && !choice.probes ? " habit" : ""}${soon?.value === one.value ? " soon" : ""}`);
        set(one.soon, "text", soon?.value === one.value ? say("switch.from", { t: say("s", { t: soon.at }) }) : "");
        if (one.input.checked !== on) one.input.checked = on;
      }
    }
  }
}

// ---------------------------------------------------------------------------------------- the verdict in words

/** The first event of the asked kind, or undefined. */
const goalOf = (story, asks) => asks && story.events.find((event) => event.type === asks.target && event.t >= (asks.after ?? 0));

/** What the reader said against what was: a title and sentences. */
function verdictOf({ story, asks, mark, goal, setting, say, service }) {
  const real = goal && say("s", { t: tenths(goal.t) }), you = mark.t === NEVER ? say("never") : say("s", { t: trim(mark.t) });
  if (!goal) return mark.t === NEVER ? { title: say("verdict.never.right"), text: [] } : { title: say("verdict.none", { you }), text: [[say("verdict.never.text")]] };
  const text = [], lost = lostUntil(service, goal.t) - lostUntil(service, asks.after ?? 0);
  let title;
  if (mark.t === NEVER) title = say("verdict.never.wrong", { real });
  else {
    const off = mark.t - goal.t, far = Math.abs(off), period = Math.max(...Object.values(setting.probes).map((probe) => probe?.periodSeconds ?? 0));
    const exact = far <= 1, close = far <= Math.max(2, period / 2);
    title = say(exact ? "verdict.right" : off < 0 ? "verdict.early" : "verdict.late", { you, real, diff: say("s", { t: tenths(far) }) });
    if (exact) text.push([say("verdict.exact")]);
    else if (close) text.push([say("verdict.close")]);
    else text.push((off < 0 && nearest(story, asks, mark, setting, say)) || [say(off < 0 ? "verdict.far" : "verdict.sooner")]);
  }
  if (lost > 0) text.push([say("verdict.lost", { n: lost })]);
  return { title, text };
}
/** What happened where the reader put the mark: a wrong answer is the right answer to another question. */
function nearest(story, asks, mark, setting, say) {
  const weight = { kill: 0, verdict: 0, fail: 1, sick: 1, unready: 1, backoff: 1, restart: 2 };
  const near = story.events
    .filter((event) => event.type in weight && event.type !== asks.target && Math.abs(event.t - mark.t) <= 2.5)
    .sort((a, b) => weight[a.type] - weight[b.type] || Math.abs(a.t - mark.t) - Math.abs(b.t - mark.t))[0];
  if (!near || !say.has(`near.${near.type}`)) return null;
  const probe = setting.probes.liveness ?? setting.probes.readiness ?? {};
  return say.rich(`near.${near.type}`, { t: say("s", { t: tenths(near.t) }), p: probe.periodSeconds, f: probe.failureThreshold, n: near.tick?.run, of: near.tick?.of });
}

// ------------------------------------------------------------------------------------------------- the widget

function render({ model, el }) {
  const data = model.get("data"), say = speaker(model.get("words")), ask = asker(model, say);
  const given = settingOf(data), grace = podSpecOf(data.base.manifests[data.at.places[0][0]]).terminationGracePeriodSeconds ?? 30;
  const asks = data.ask ?? null;
  let started = data.start ?? 0; // where no chapter says, the first moment at which something lives: see `refresh`
  const calm = matchMedia("(prefers-reduced-motion: reduce)");

  // ---- all that can change
  const state = {
    setting: structuredClone(given), belief: null,
    t: started, seen: started, playing: false, speed: data.speed ?? 10, by: "any",
    podName: null, chosen: null, mark: { t: null }, answered: null,
  };
  let story = null, ghost = null, pod = null, service = null;

  // ---- the frame
  const css = model.get("css"), shadow = (el.shadowRoot ?? el.attachShadow({ mode: "open" }));
  const root = h("div", { class: "monitor", role: "group", "aria-label": data.title ?? say("title"), "data-lm-suppress-shortcuts": "true" });
  const sheet = new CSSStyleSheet(); // unlike a <style>, no content policy forbids it
  sheet.replaceSync(css);
  shadow.adoptedStyleSheets = [sheet];
  shadow.replaceChildren(root);
  el.setAttribute("data-lm-suppress-shortcuts", "true");
  const loading = h("div", { class: "loading", role: "status" }, say("loading"));
  root.append(loading);

  const button = (name, label, act, more) => h("button", { type: "button", "aria-label": say(label), title: say(label), onclick: act, ...more }, icon(name));
  const playButton = button("play", "play", () => play(!state.playing), { class: "play" });
  const stepBy = h("select", { onchange: () => { state.by = stepBy.value; } }, ["any", "fail", "ready", "life", "second"].map((key) => h("option", { value: key }, say(`step.${key}`))));
  const speedBy = h("select", { onchange: () => { state.speed = Number(speedBy.value); show(); } }, SPEEDS.map((n) => h("option", { value: n }, `×${n}`)));
  speedBy.value = String(state.speed);
  const target = asks?.target ?? "restart";
  const jump = h("button", { type: "button", class: "jump", onclick: () => jumpTo(target) }, say(say.has(`next.${target}`) ? `next.${target}` : "next.restart"));
  const clock = h("b"), clockOf = h("span");
  const bar = h("div", { class: "bar" }, h("div", { class: "title" }, data.title ?? say("title")),
    h("div", { class: "keys", role: "group" },
      button("start", "start", () => { play(false); seek(0); }), button("back", "back", () => step(-1)), playButton, button("forth", "forth", () => step(1))),
    h("label", {}, h("span", {}, say("step")), stepBy), jump, h("label", { class: "speed" }, h("span", {}, say("speed")), speedBy),
    h("span", { class: "clock" }, "t = ", clock, " ", clockOf));

  const top = h("div", { class: "top" });
  const askHow = h("span", { class: "how" }), neverButton = h("button", { type: "button", onclick: () => putMark(state.mark.t === NEVER ? null : NEVER) }, say("ask.never"));
  const againButton = h("button", { type: "button", onclick: again }, say("ask.again"));
  const beliefBy = h("select", { onchange: () => { state.belief = beliefBy.value || null; refresh(); } },
    h("option", { value: "" }, say("belief.none")), data.beliefs.map((one) => h("option", { value: one.key }, one.says)));
  const question = h("div", { class: "ask" }, asks && h("span", { class: "q" }, asks.text ?? say("ask")), asks && askHow, asks && neverButton, asks && againButton);
  const notice = h("div", { class: "notice", role: "alert", hidden: true });
  const whyTitle = h("div", { class: "head" }), whyList = h("ol"), verdict = h("div", { class: "verdict" });
  const panel = h("div", { class: "words" }, verdict, h("div", { class: "why" }, whyTitle, whyList));
  const rows = h("tbody"), caption = h("caption");
  const twin = h("details", { ontoggle: () => table() }, h("summary", {}, say("twin")),
    h("div", { class: "twin", tabindex: "0", role: "region", "aria-label": say("twin") },
      h("table", {}, caption, h("thead", {}, h("tr", {}, ["t", "pod", "what", "why"].map((key) => h("th", { scope: "col" }, say(`twin.${key}`))))), rows)));
  const helps = [say("help.keys"), say("help.marks"), say("help.flips"), ...(data.faults ? [say("help.faults")] : [])];
  const help = h("details", {}, h("summary", {}, say("help")), helps.map((text) => h("p", {}, text)));
  const source = h("span", { class: "by" }), more = h("div", { class: "more" }, twin, help, source);
  const live = h("div", { class: "quietly", role: "status", "aria-live": "polite" });

  const strip = new Strip(h("div"), say, {
    seek: (t) => { play(false); seek(t); },
    mark: putMark, seen: () => state.seen, grace: () => grace,
    why: (item) => !!story.why[item.id],
    click(item, t, above, below) {
      if (item && !above && !below) return choose(item);
      if (asks && !resolved() && !below && (above || t > state.seen)) return putMark(Math.round(t));
      if (below || t <= state.seen) seek(t);
    },
  });
  const ward = new Ward(top, say, { choose(one) { state.podName = one.name; layout(); } });
  const desk = new Desk(top, say, data, {
    turn, grace, inflict, deedText,
    knob(probe, name, value) { change((setting) => { setting.probes[probe][name] = value; }); },
    probe(probe, on) {
      const numbers = given.probes[probe] ?? Object.fromEntries(Object.keys(KNOBS).map((name) => [name, knobOf(data.handlers[probe], name)]));
      change((setting) => { setting.probes[probe] = on ? { ...numbers } : null; });
    },
    belief: data.beliefs.length ? h("label", { class: "belief" }, say("belief"), beliefBy) : null,
    preset(preset) { change((setting) => { Object.assign(setting, presetSetting(preset)); }); },
    isPreset: (preset) => canonical(presetSetting(preset).probes) === canonical(state.setting.probes) && canonical(presetSetting(preset).habits) === canonical(state.setting.habits),
    drop(flip) { change((setting) => { setting.flips = setting.flips.filter((one) => one !== flip && canonical(one) !== canonical(flip)); }); },
  });

  function presetSetting(preset) {
    const probes = structuredClone(given.probes);
    const usual = Object.fromEntries(Object.keys(KNOBS).map((knob) => [knob, KNOBS[knob][0]]));
    for (const [probe, numbers] of Object.entries(preset.probes ?? {})) probes[probe] = numbers && { ...usual, ...probes[probe], ...numbers };
    return { probes, habits: { ...given.habits, ...preset.habits } };
  }

  // ---- asking
  let ticket = 0, answered = 0;
  async function refresh(rewind) {
    const mine = ++ticket, setting = state.setting, belief = state.belief;
    const slow = setTimeout(asking, 250, mine);
    const failed = (error) => ({ failed: String(error?.message ?? error) });
    const [told, shadowTold] = await Promise.all([null, ...(belief ? [belief] : [])].map((one) => ask(compose(data, setting, one)).catch(failed)));
    clearTimeout(slow);
    if (mine !== ticket) return; // something newer has been asked
    answered = mine;
    const problem = (one) => one.failed ?? (one.error && say("failed", { error: one.error }));
    if (!told.answer) {
      play(false);
      const undo = () => {
        Object.assign(state, structuredClone(state.answered));
        beliefBy.value = state.belief ?? "";
        strip.knob.focus({ preventScroll: true });
        refresh();
      };
      tellNotice(problem(told), state.answered && h("button", { type: "button", onclick: undo }, say("needs.undo")));
      unanswered();
      return;
    }
    const { answer } = told, lacking = belief && !shadowTold.answer;
    tellNotice(lacking ? say("needs.belief", { reason: problem(shadowTold) }) : null);
    strip.stage.classList.remove("stale");
    state.answered = { setting: structuredClone(setting), belief };
    story = finish(read(answer, data.at, model.get("words")), setting);
    const first = loading.parentNode !== null;
    if (first && (data.start ?? null) === null) state.t = started = firstBreath();
    ghost = belief && !lacking ? read(shadowTold.answer, data.at, model.get("words")) : null;
    if (state.chosen) state.chosen = story.events.find((event) => event.type === state.chosen.type && Math.abs(event.t - state.chosen.t) < 0.05) ?? null;
    state.t = Math.min(state.t, story.until);
    state.seen = rewind ? state.t : clamp(state.seen, state.t, story.until);
    if (first) {
      root.replaceChildren(bar, top, question, notice, strip.root, panel, more, live);
      if (!question.childElementCount) question.hidden = true;
      watcher.observe(root);
    }
    steadily(layout);
    if (first) strip.bring(state.t);
  }
  /** It takes a while: what is waited for stands over the axis, so that nothing moves. */
  function asking(mine) {
    if (mine !== ticket || answered === ticket) return;
    tellNotice(model.get("waits") ?? say("asking"), null, true);
    unanswered();
  }
  const waits = () => { if (!notice.hidden || loading.parentNode) asking(ticket); };
  model.on("change:waits", waits);
  /** What is set shows at once, and that the axis is not about it yet. */
  function unanswered() {
    strip.stage.classList.add("stale");
    if (story) steadily(() => { desk.layout(state.setting, given, grace, hanging); show(); });
  }
  /** Draws anew; the focus stays on the control that it was on, or goes to the playhead if that is gone. */
  function steadily(draw) {
    const held = shadow.activeElement;
    draw();
    if (!held || (held.isConnected && held.checkVisibility?.() !== false)) return;
    const same = [...shadow.querySelectorAll("[data-keeps]")].find((one) => one.dataset.keeps === held.dataset.keeps);
    (same ?? strip.knob).focus({ preventScroll: true });
  }
  const firstBreath = () => { const lives = [...story.pods.values()].map((one) => one.lives[0]?.from ?? Infinity); return Math.max(...lives) < 5 ? Math.ceil(Math.max(...lives) + 0.2) : 0; };
  /** What depends on the setting too: which failure is the verdict. */
  function finish(fresh, setting) {
    for (const one of fresh.pods.values()) {
      for (const [probe, ticks] of Object.entries(one.probes)) {
        const of = setting.probes[probe]?.failureThreshold ?? 3;
        for (const tick of ticks) Object.assign(tick, { of, final: tick.result === "failure" && tick.run === of });
      }
    }
    for (const event of fresh.events) if (event.tick) event.text = tickText(event.tick, say);
    return fresh;
  }
  /** Change what is set and ask again. What has been seen is veiled again from the playhead on. */
  function change(edit) {
    const setting = structuredClone(state.setting);
    edit(setting);
    state.setting = setting;
    refresh(true);
  }
  /** Whether the app hangs, or a switch that this probe looks at has been turned to hanging. */
  const looks = (probe, name) => data.switches.find((one) => one.name === name)?.probes.includes(probe);
  const hanging = (probe) => state.setting.flips.some((flip) => flip.fault === "hang" || (flip.value === "hang" && looks(probe, flip.switch)));

  // ---- switches
  function turn(choice, value) {
    if (!choice.probes) return change((setting) => { setting.habits[choice.name] = value; });
    let { first: at, period } = agreed(state.setting, choice, state.t);
    while (at <= story.until && !alive(pod, at, 0.5)) at += period;
    if (at > story.until) { show(true); return tellNotice(say("flip.over", { t: say("s", { t: story.until }) })); }
    const target = podTarget(at);
    change((setting) => {
      setting.flips = setting.flips.filter((flip) => !(flip.switch === choice.name && flip.at >= at && canonical(flip.pod ?? null) === canonical(target ?? null)));
      if (switchAt(choice, at - 0.001).value !== value) setting.flips.push({ at, switch: choice.name, value, ...(target && { pod: target }) });
    });
    announce(say("switch.pending", { t: say("s", { t: at }) }));
  }
  /** Whether the app runs, and has for a while: what the API says, and that its node has power. */
  const alive = (one, t, since = 0) => !!one?.lives.some((life) => life.from + since <= t && t < life.to) && !during(one.dark, t);
  /** A fault, at the next whole second. */
  const soon = () => Math.ceil(state.t - 1e-9);
  function inflict({ name, on }, seconds) {
    const at = soon(), machine = on === "node" && pod?.node, dark = troubleOf(story, machine, at) === "dark";
    const cannot = (key, t) => tellNotice(say(key, { t: say("s", { t }), target: targetOf({ on }) }));
    if (at >= story.until) return cannot("flip.over", story.until);
    if (!machine && !alive(pod, at)) return cannot("faults.nobody", at);
    if (machine && dark !== (name === "startNode")) return cannot(dark ? "faults.dark" : "faults.light", at);
    const target = podTarget(at), whom = machine ? { node: machine } : target && { pod: target };
    const deed = { at, fault: name, ...whom, ...(seconds && { for: seconds }) };
    change((setting) => { setting.flips = [...setting.flips.filter((one) => canonical(one) !== canonical(deed)), deed]; });
    announce(say("flip", { t: say("s", { t: at }), what: deedText(deed) }));
  }
  function deedText({ at, fault, node, pod: whom = data.at.pod, for: seconds }) {
    return faultText(fault, node ?? (whom.selector ? siblings(at)[whom.index] ?? whom.selector : whom), seconds, say);
  }
  const targetOf = ({ on }) => (on === "node" ? pod?.node : pod?.name) ?? "";
  /** Who can be meant at a moment by a place among siblings. */
  const siblings = (at) => [...story.pods.values()].filter((one) => one.from <= at && at < one.to && !(one.deleting !== null && one.deleting <= at)).map((one) => one.name).sort();
  /** How the chosen pod is named in an action (null: as the scenario names it): by its place among its siblings where names are generated. */
  function podTarget(at) {
    const selector = data.at.pod?.selector;
    if (!selector) return pod.name === data.at.pod ? null : pod.name;
    return { index: Math.max(0, siblings(at).indexOf(pod.name)), selector };
  }
  /** What a switch stands at, as the app itself reports, and the next flip of it that has been ordered. */
  function switchAt(choice, t) {
    const told = pod && during(pod.app, t), target = canonical(podTarget(t));
    const mine = state.setting.flips.filter((flip) => flip.switch === choice.name && flip.at > t && canonical(flip.pod ?? null) === target);
    return { value: told?.states[choice.name] ?? choice.values[0][0], soon: mine.sort((a, b) => a.at - b.at)[0] };
  }

  // ---- time
  const known = () => { let n = 0; for (const event of story.events) { if (event.t > state.seen + 1e-9) break; n++; } return n; };
  const resolved = () => { const goal = goalOf(story, asks); return !!asks && state.seen >= (goal ? goal.t : story.until) - 1e-9; };

  let frame = null, before = 0, wait = 0;
  function play(on) {
    if (on && state.t >= story.until) { state.t = started; }
    if (on === state.playing) return;
    state.playing = on;
    before = 0;
    if (on) frame = requestAnimationFrame(tick);
    else { cancelAnimationFrame(frame); announce(null, true); }
    playButton.replaceChildren(icon(on ? "pause" : "play"));
    for (const name of ["aria-label", "title"]) playButton.setAttribute(name, say(on ? "pause" : "play"));
    show();
  }
  function tick(now) {
    if (!state.playing) return;
    if (!el.isConnected) return play(false);
    const past = before ? Math.min(100, now - before) / 1000 : 0, from = state.t;
    before = now;
    let to = from;
    if (calm.matches) { // no sliding: from event to event, at a pace that can be read
      wait += past;
      if (wait > 0.9) { wait = 0; to = story.events.find((event) => event.t > from + 1e-9)?.t ?? story.until; }
    } else to = from + past * state.speed;
    const goal = goalOf(story, asks), fresh = goal && state.mark.t !== null && state.seen < goal.t && to >= goal.t;
    to = Math.min(fresh ? goal.t : to, story.until);
    passed(from, to);
    state.t = to;
    state.seen = Math.max(state.seen, to);
    if (fresh) { play(false); choose(goal); } else if (to >= story.until) play(false);
    else frame = requestAnimationFrame(tick);
    show();
  }
  function seek(t, quiet) {
    state.t = clamp(t, 0, story.until);
    state.seen = Math.max(state.seen, state.t);
    show();
    if (!quiet) announce(momentText());
  }
  const STEPS = { any: /^(?!skip)/, fail: /^fail/, ready: /ready$/, life: /^(life|restart|kill|end|gone)$/ };
  const wanted = (event) => STEPS[state.by].test(event.type);
  /** To the next or previous event: by time, and among those of the same instant by order. */
  function step(way, filter = wanted) {
    play(false);
    if (state.by === "second" && filter === wanted) return seek(way > 0 ? Math.floor(state.t + 1 + 1e-6) : Math.ceil(state.t - 1 - 1e-6));
    const at = state.chosen && Math.abs(state.chosen.t - state.t) < 1e-6 ? state.chosen.index : null;
    const later = (event) => (at !== null ? event.index > at : event.t > state.t + 1e-6), earlier = (event) => (at !== null ? event.index < at : event.t < state.t - 1e-6);
    const found = way > 0 ? story.events.find((event) => later(event) && filter(event)) : story.events.findLast((event) => earlier(event) && filter(event));
    if (!found) return seek(way > 0 ? story.until : 0);
    seek(found.t, true);
    choose(found);
  }
  function jumpTo(type) {
    const found = story.events.find((event) => event.type === type && event.t > state.t + 1e-6);
    play(false);
    if (!found) { seek(story.until, true); return announce(say("next.none")); }
    seek(found.t, true);
    choose(found);
  }

  // ---- the mark
  function putMark(t) {
    if (!asks || resolved()) return;
    state.mark.t = t === null || t === NEVER ? t : clamp(Math.max(t, Math.ceil(state.seen)), 0, story.until);
    show();
    panelDraw();
  }
  function again() {
    play(false);
    state.mark.t = null;
    state.chosen = null;
    state.t = state.seen = started;
    show();
    panelDraw();
    strip.flag.focus({ preventScroll: true });
  }

  // ---- words
  function choose(item) {
    state.chosen = item;
    if (item.pod && story.pods.get(item.pod) !== pod && story.pods.has(item.pod)) { state.podName = item.pod; layout(); }
    show();
    panelDraw();
    announce(say("flip", { t: say("s", { t: tenths(item.t) }), what: item.text }));
  }
  function panelDraw() {
    const goal = goalOf(story, asks), done = resolved();
    const telling = (event) => event.t <= state.seen + 1e-9 && story.why[event.id] && !["pass", "skip"].includes(event.type);
    const item = state.chosen ?? (done && goal ? goal : state.seen > started || data.start ? story.events.findLast(telling) : null);
    const chain = item && (story.why[item.id] ?? []);
    whyTitle.textContent = item ? say(item.type === "restart" ? "why.restart" : "why", { what: item.text, t: say("s", { t: tenths(item.t) }) }) : say("why.hint");
    const causes = chained(chain ?? []);
    whyList.replaceChildren(...causes.map(({ steps, source: file, function: rule }) => {
      const lines = steps.map(({ t, text }) => h("div", {}, t === null ? null : [h("time", {}, say("s", { t: tenths(t) })), "  "], text));
      if (rule) lines.at(-1).append(" ", h("code", { title: `${file} ${rule}` }, `${file.split("/").pop()} ${rule}`));
      return h("li", {}, lines);
    }));
    if (!causes.length) whyList.append(h("li", { class: "plain" }, !item ? say("why.none") : item.detail ? String(item.detail).trim() : item.type === "flip" ? say("why.plain") : item.text));
    strip.showChain(causes);
    verdict.replaceChildren(...verdictWords(goal, done));
    verdict.hidden = !verdict.childNodes.length;
  }
  function verdictWords(goal, done) {
    const words = [], belief = ghost && data.beliefs.find((one) => one.key === state.belief);
    if (asks && done && state.mark.t !== null) {
      const { title, text } = verdictOf({ story, asks, mark: state.mark, goal, setting: state.setting, say, service });
      words.push(h("div", { class: "head" }, title), ...text.map((part) => h("p", {}, part)));
    }
    if (belief && state.seen >= Math.min(story.until, goal?.t ?? story.until) - 1e-9) {
      const outcome = (one) => {
        const restarts = one.events.filter((event) => event.type === "restart" && event.t <= state.seen), [first] = [...one.services.values()];
        const times = restarts.map((event) => tenths(event.t)).join(", ");
        return say("belief.outcome", { restarts: restarts.length ? say("belief.restarts", { times }) : say("pod.restarts", { n: 0 }), lost: lostUntil(first, state.seen) });
      };
      const [ghosts, truth] = [outcome(ghost), outcome(story)];
      const told = ghosts === truth ? `${say("belief.same")} ${belief.truth}` : say("belief.text", { ghost: ghosts, true: truth, truth: belief.truth });
      words.push(h("p", {}, h("b", {}, `“${belief.says}” `), told));
    }
    if (done && data.next) words.push(h("p", { class: "next" }, data.next));
    return words;
  }
  function table() {
    if (!twin.open || !story) return;
    const list = story.events.slice(0, known());
    caption.textContent = say("twin.caption", { t: say("s", { t: trim(state.seen) }) });
    rows.replaceChildren(...list.map((event) => {
      const where = [event.pod ?? event.service ?? event.node, say.has(`lane.${event.lane}`) && say(`lane.${event.lane}`)].filter(Boolean).join(" · ");
      const ask = story.why[event.id] && h("button", { type: "button", onclick: () => choose(event) }, say("twin.why.button"));
      return h("tr", {}, [tenths(event.t), where, event.text, ask].map((cell) => h("td", {}, cell)));
    }));
  }
  function momentText() {
    if (!pod) return "";
    const { is, life, since, reason } = podAt(pod, state.t);
    const what = say(`is.${is}`, { n: life, t: say("s", { t: Math.floor(since) }), reason });
    return say("now", { t: say("s", { t: trim(state.t) }), pod: pod.name, what });
  }

  // A live region that speaks at human pace: at most once in two seconds, the newest of what piled up.
  let queue = [], speaking = null;
  function announce(text, now) {
    if (text) queue.push(text);
    if (!queue.length || (speaking && !now)) return;
    live.textContent = queue.slice(-4).join(". ");
    queue = [];
    clearTimeout(speaking);
    speaking = setTimeout(() => { speaking = null; announce(null); }, 2000);
  }
  function passed(from, to) {
    for (const event of story.events) {
      const worth = event.type === "fail" ? event.tick.final : !["skip", "pass", "placed", "end", "served", "ready", "unready"].includes(event.type);
      if (worth && event.t > from && event.t <= to) announce(`${say("s", { t: Math.round(event.t) })}: ${event.text}`);
    }
  }
  function tellNotice(text, extra, over = false) {
    if (!text) { notice.hidden = true; return; }
    notice.classList.toggle("over", over);
    notice.replaceChildren(text, ...(extra ? [extra] : []));
    notice.hidden = false;
    if (loading.parentNode) loading.textContent = text;
  }

  // ---- drawing
  function layout() {
    if (!story) return;
    const byName = [...story.pods.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    pod = story.pods.get(state.podName) ?? byName.find((one) => one.from <= state.t && state.t < one.to && (one.deleting === null || one.deleting > state.t)) ?? byName[0] ?? null;
    service = [...story.services.values()].find((one) => one.traffic.length) ?? [...story.services.values()][0];
    ward.layout(story, state.setting);
    desk.layout(state.setting, given, grace, hanging);
    strip.layout(story, { pod, ghost, belief: data.beliefs.find((one) => one.key === state.belief), setting: state.setting, asks, started });
    strip.knob.setAttribute("aria-valuemin", "0");
    strip.knob.setAttribute("aria-valuemax", String(story.until));
    strip.flag.setAttribute("aria-valuemin", "0");
    strip.flag.setAttribute("aria-valuemax", String(story.until));
    clockOf.textContent = say("of", { until: trim(story.until) });
    source.textContent = [model.get("note"), say("seed", { seed: data.base.seed ?? 0 })].filter(Boolean).join(" · ");
    shownKnown = -1;
    show();
    panelDraw();
  }

  let shownKnown = -1;
  function show() {
    if (!story || !root.contains(bar)) return;
    const { t, seen, mark } = state, n = known(), goal = goalOf(story, asks), done = resolved();
    set(clock, "text", say("s", { t: tenths(t) }));
    const { playing, speed, chosen } = state, follow = playing || document.activeElement === el;
    strip.show({ t, seen, mark, goal, resolved: done, chosen, playing, follow, speed, calm: calm.matches, known: n });
    ward.show({ t, story, pod, speed: state.speed });
    desk.show((choice) => (choice.probes ? switchAt(choice, t) : { value: state.setting.habits[choice.name], soon: null }), soon(), targetOf);
    if (!state.playing || n !== shownKnown) {
      set(strip.knob, "aria-valuenow", trim(t));
      set(strip.knob, "aria-valuetext", say("playhead.text", { t: say("s", { t: trim(t) }), what: state.chosen && Math.abs(state.chosen.t - t) < 1e-6 ? state.chosen.text : momentText() }));
    }
    if (asks) {
      set(askHow, "text", done ? (state.mark.t === null ? "" : say("ask.locked")) : say("ask.how"));
      neverButton.hidden = done;
      set(neverButton, "aria-pressed", mark.t === NEVER);
      againButton.hidden = !done;
      set(strip.flag, "aria-valuenow", mark.t === null || mark.t === NEVER ? 0 : mark.t);
      set(strip.flag, "aria-valuetext", mark.t === null ? say("mark.flag.open") : mark.t === NEVER ? say("mark.flag.never") : say("mark.flag", { t: mark.t }));
      set(strip.flag, "aria-disabled", done);
    }
    if (n !== shownKnown) { shownKnown = n; table(); if (!state.chosen || done) panelDraw(); }
  }

  // ---- keys
  strip.knob.addEventListener("keydown", (event) => {
    const act = {
      ArrowRight: () => seek(state.t + 1), ArrowUp: () => seek(state.t + 1), ArrowLeft: () => seek(state.t - 1), ArrowDown: () => seek(state.t - 1),
      PageDown: () => step(1), PageUp: () => step(-1), Home: () => seek(0), End: () => seek(story.until), " ": () => play(!state.playing),
      Enter: () => choose(state.chosen ?? story.events.findLast((one) => one.t <= state.t + 1e-6) ?? story.events[0]),
    }[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    if (event.key !== " ") play(false);
    act();
  });
  strip.flag.addEventListener("keydown", (event) => {
    const now = typeof state.mark.t === "number" ? state.mark.t : strip.usual;
    const to = {
      ArrowRight: now + 1, ArrowUp: now + 1, ArrowLeft: now - 1, ArrowDown: now - 1, PageUp: now + 10, PageDown: now - 10,
      Home: 0, End: story.until, Enter: now, " ": now, n: NEVER, N: NEVER,
    }[event.key];
    if (to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    putMark(to);
  });
  root.addEventListener("keydown", (event) => event.stopPropagation()); // a page may turn its leaves on arrow keys

  // ---- the page around: its theme, its width, its printer
  const theme = () => {
    const html = document.documentElement, body = document.body.dataset, light = body.jpThemeLight;
    const code = /vscode-(light|dark|high-contrast)(-light)?\b/.exec(document.body.className); // VS Code says it in classes
    const lab = light && (light === "true" ? "light" : "dark");
    const wanted = html.dataset.theme ?? lab ?? (code && (code[1] === "light" || code[2] ? "light" : "dark"));
    el.style.colorScheme = wanted === "dark" || wanted === "light" ? wanted : "";
  };
  const themes = new MutationObserver(theme);
  themes.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  themes.observe(document.body, { attributeFilter: ["data-jp-theme-light", "class"] });
  theme();
  let width = 0;
  const watcher = new ResizeObserver(() => {
    if (Math.abs(root.clientWidth - width) < 2) return;
    width = root.clientWidth;
    requestAnimationFrame(layout);
  });
  const printing = () => { twin.open = true; table(); };
  addEventListener("beforeprint", printing);

  refresh();
  return () => { model.off?.("change:waits", waits); play(false); watcher.disconnect(); themes.disconnect(); removeEventListener("beforeprint", printing); };
}

export default { render, read, podAt, compose, agreed, canonical };
