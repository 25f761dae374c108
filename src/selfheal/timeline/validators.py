"""What must hold in every timeline, of a simulated cluster and of a real one.

Each validator is a function of a timeline that returns what is wrong, in words; its docstring gives the
rule and where Kubernetes has it. They use only what records can prove: watches are read side by side, a busy
machine merges writes, and an exit is seen up to a second late. :func:`validate` runs them all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise, zip_longest

from selfheal.timeline.log import SIMULATOR_ONLY, Record, Timeline
from selfheal.timeline.steps import COMBINED

Validator = Callable[[Timeline], Iterator[str]]

LAG = 1.2
"""How long (s) a controller may be behind what it watches."""
SEEN_LATE = 1.5
"""How late (s) the end of a container may be seen: a relist each second, then a write."""
TOLD_LATE = 12
"""How long (s) after it was cut off a kubelet may not have told all: it compares each 10 s (status_manager.go)."""
QUIET = 2.5
"""Numbers must be right once nothing has changed for so long (s)."""


_RANK = {"Pending": 0, "Running": 1, "Succeeded": 2, "Failed": 2}

VALIDATORS: dict[str, Validator] = {}
"""All validators by name."""


def validator(check: Validator) -> Validator:
    VALIDATORS[check.__name__] = check
    return check


def validate(timeline: Timeline) -> list[str]:
    """All that is wrong with a timeline, each with the name of the rule that it breaks."""
    return [f"{name}: {problem}" for name, check in VALIDATORS.items() for problem in check(timeline)]


# ---- reading


def _statuses(timeline: Timeline, kind: str = "Pod") -> Iterator[list[Record]]:
    """The records of each object of a kind, one life of the object after the other (a name may be used again)."""
    lives: dict[tuple[str, str], list[Record]] = {}
    for r in timeline:
        if r["kind"] == kind:
            lives.setdefault((r.get("namespace", ""), r["object"]), []).append(r)
    for records in lives.values():
        begin = 0
        for i, r in enumerate(records):
            if r.get("deleted"):
                yield records[begin : i + 1]
                begin = i + 1
        if begin < len(records):
            yield records[begin:]


def _containers(r: Record) -> list[Record]:
    """All containers of a pod's record, init containers first."""
    return [*r.get("initContainers", ()), *r["containers"]]


def _rows(records: list[Record]) -> dict[str, list[tuple[Record, Record]]]:
    """container → (record, its state there) in order."""
    rows: dict[str, list[tuple[Record, Record]]] = {}
    for r in records:
        for c in _containers(r):
            rows.setdefault(c["name"], []).append((r, c))
    return rows


def _events(timeline: Timeline, records: list[Record]) -> list[Record]:
    """The events of one life of an object."""
    first, last = records[0], records[-1]
    end = last["t"] if last.get("deleted") else timeline.end
    return [
        r
        for r in timeline
        if r["kind"] == "Event"
        and r["object"] == first["object"]
        and r["namespace"] == first.get("namespace", "default")
        and first["t"] - 0.1 <= r["t"] <= end + 0.1
    ]


def _boots(timeline: Timeline) -> list[float]:
    """When a node was started: its kubelet then knows nothing of what was before."""
    return [
        r["t"]
        for r in timeline
        if (r["kind"] == "Action" and r["verb"] in ("startNode", "stopNode"))
        or (r["kind"] == "Event" and r["reason"] == "Rebooted")
    ]


def _cuts(timeline: Timeline, node: str | None = None) -> list[tuple[float, float]]:
    """From when to when a node could not reach the API server (None: when nobody could), in s."""
    found = []
    for r in timeline:
        if r["kind"] == "Action" and r["verb"] == "fault" and r["result"] == "ok":
            what, whom, lasts = r["args"]["kind"], r["args"].get("target"), r["args"].get("for")
            if what == "apiDown" or (node is not None and what == "partition" and whom == f"node/{node}"):
                found.append((r["t"], timeline.end if lasts is None else r["t"] + lasts))
    return found


def _untold(timeline: Timeline, records: list[Record]) -> list[tuple[float, float]]:
    """When the API may not have known of a pod what its kubelet did.

    Of what happens meanwhile, it gets the last status only (status_manager.go keeps one of each pod), and late; of
    events, not all (client-go tools/record/event.go recordToSink).
    """
    node = next((r["node"] for r in records if "node" in r), "")
    return [(a, b + TOLD_LATE) for a, b in _cuts(timeline, node)]


def _within(spans: list[tuple[float, float]], begin: float, end: float) -> bool:
    """Whether a moment of one of the spans lies between the two."""
    return any(a <= end and begin <= b for a, b in spans)


def _of(event: Record) -> str:
    """The container that an event is about."""
    return str(event.get("field", "")).partition("{")[2].rstrip("}")


def _at(r: Record) -> str:
    return f"{r['object']} at {r['t']:.2f} s"


# ---- time and objects


@validator
def time_never_goes_back(timeline: Timeline) -> Iterator[str]:
    """Records come in order of time; a stretch stands where it was closed, so those are left out."""
    for a, b in pairwise(r for r in timeline if r["kind"] not in SIMULATOR_ONLY):
        if b["t"] < a["t"]:
            yield f"{b['kind']} at {b['t']:.3f} s after {a['kind']} at {a['t']:.3f} s"


@validator
def a_deleted_object_is_gone(timeline: Timeline) -> Iterator[str]:
    """What was deleted is deleted once; a new object of the name begins anew (registry/generic/registry/store.go)."""
    gone: dict[tuple[str, str], float] = {}
    for r in timeline:
        if r["kind"] in ("Event", "Action", *SIMULATOR_ONLY):
            continue
        key = (r.get("namespace", ""), r["object"])
        if key in gone:
            old = r["kind"] == "Pod" and (r["phase"] != "Pending" or any(c["restartCount"] for c in _containers(r)))
            if r.get("deleted") or old:
                yield f"{_at(r)} changes, but it was deleted at {gone[key]:.2f} s"
            gone.pop(key)
        if r.get("deleted"):
            gone[key] = r["t"]


@validator
def deletion_is_not_taken_back(timeline: Timeline) -> Iterator[str]:
    """A deletionTimestamp stays until the object is gone (registry/rest/delete.go)."""
    for records in _statuses(timeline):
        for a, b in pairwise(records):
            if a.get("terminating") and not b.get("terminating"):
                yield f"{_at(b)} is no longer being deleted"


@validator
def a_pod_stays_on_its_node(timeline: Timeline) -> Iterator[str]:
    """spec.nodeName is set once (apis/core/validation/validation.go ValidatePodUpdate)."""
    for records in _statuses(timeline):
        for a, b in pairwise(records):
            if "node" in a and a["node"] != b.get("node"):
                yield f"{_at(b)} moved from {a['node']} to {b.get('node')}"


# ---- a pod's status


@validator
def phases_never_go_back(timeline: Timeline) -> Iterator[str]:
    """Pending, Running, then Succeeded or Failed for good (kubelet_pods.go getPhase, status_manager.go).

    While the init containers of a new sandbox run, as after a power cut, a pod is Pending once more.
    """
    for records in _statuses(timeline):
        for a, b in pairwise(records):
            if (a["phase"], b["phase"]) == ("Running", "Pending") and _initializes(b):
                continue
            if _RANK.get(b["phase"], 0) < _RANK.get(a["phase"], 0) or (
                _RANK.get(a["phase"]) == 2 and a["phase"] != b["phase"]
            ):
                yield f"{_at(b)} went from {a['phase']} to {b['phase']}"


def _initializes(r: Record) -> bool:
    return any(not c["ready"] for c in r.get("initContainers", ()))


@validator
def a_finished_pod_runs_nothing(timeline: Timeline) -> Iterator[str]:
    """Succeeded and Failed come when no container runs any more (pod_workers.go, kubelet.go SyncTerminatedPod).

    Of a node that is lost nobody knows what runs there, and its pods may be given up (pod garbage collector).
    """
    for records in _statuses(timeline):
        for r in records:
            lost = r["conditions"].get("Ready") == "False" and r["conditions"].get("ContainersReady") == "True"
            if (r.get("reasons") or {}).get("DisruptionTarget") == "DeletionByPodGC" or (lost and r.get("terminating")):
                continue
            if _RANK.get(r["phase"]) == 2 and any(c["state"] == "running" for c in _containers(r)):
                yield f"{_at(r)} is {r['phase']} with a running container"


@validator
def it_is_scheduled_before_it_runs(timeline: Timeline) -> Iterator[str]:
    """A kubelet only sees pods that are bound to its node (scheduler, kubelet/config/apiserver.go)."""
    for records in _statuses(timeline):
        for r in records:
            begun = any(c["state"] != "waiting" for c in _containers(r))
            if begun and ("node" not in r or r["conditions"].get("PodScheduled", "True") != "True"):
                yield f"{_at(r)} runs without having been scheduled"


@validator
def ready_implies_containers_ready(timeline: Timeline) -> Iterator[str]:
    """Ready = ContainersReady and all readiness gates (status/generate.go GeneratePodReadyCondition)."""
    for records in _statuses(timeline):
        for r in records:
            if r["conditions"].get("Ready") == "True" and r["conditions"].get("ContainersReady") != "True":
                yield f"{_at(r)} is Ready without ContainersReady"


@validator
def containers_ready_implies_each_ready(timeline: Timeline) -> Iterator[str]:
    """ContainersReady needs every regular container ready (status/generate.go GenerateContainersReadyCondition)."""
    for records in _statuses(timeline):
        for r in records:
            unready = [c["name"] for c in r["containers"] if not c["ready"]]
            if r["conditions"].get("ContainersReady") == "True" and unready:
                yield f"{_at(r)} has ContainersReady, but {', '.join(unready)} is not ready"


@validator
def ready_implies_running_and_started(timeline: Timeline) -> Iterator[str]:
    """Only a running, started container is ready (prober_manager.go UpdatePodStatus), an init container when done.

    The startup result of a new instance may take ``started`` back before the next sync (it may wait for a relist) takes
    ``ready`` back.
    """
    for records in _statuses(timeline):
        events = [e for e in _events(timeline, records) if e["type"] == "Normal"]
        kills, starts = ([e["t"] for e in events if e["reason"] == reason] for reason in ("Killing", "Started"))
        untold = _untold(timeline, records)
        for r, after in zip_longest(records, records[1:]):
            until = timeline.end if after is None else after["t"]
            started = max((t for t in starts if t <= r["t"]), default=0)
            # the next sync comes after the stop; from the 25th on, the spam filter swallows events
            busy = any(started <= t <= until for t in kills) or len(events) >= 24
            stands = until - r["t"] > SEEN_LATE and not busy and not _within(untold, r["t"], r["t"] + SEEN_LATE)
            for c in r["containers"]:
                if c["ready"] and not (c["state"] == "running" and (c["started"] or not stands)):
                    yield f"{_at(r)}: {c['name']} is ready, but {c['state']}, started {c['started']}"
            for c in r.get("initContainers", ()):
                done = c["state"] == "terminated" and c["exitCode"] == 0
                if c["ready"] and not done and not (c["state"] == "running" and c["started"]):
                    yield f"{_at(r)}: {c['name']} is ready, but {c['state']}"


@validator
def exit_code_0_is_completed(timeline: Timeline) -> Iterator[str]:
    """An exit's reason is Completed for code 0 and for nothing else (kubelet_pods.go, from the runtime)."""
    for records in _statuses(timeline):
        for r in records:
            for c in _containers(r):
                for end in (c if c["state"] == "terminated" else {}, c.get("last") or {}):
                    if end and (end["exitCode"] == 0) != (end["reason"] == "Completed"):
                        yield f"{_at(r)}: {c['name']} ended with code {end['exitCode']}, reason {end['reason']}"


# ---- restarts


@validator
def restart_counts_rise_by_one(timeline: Timeline) -> Iterator[str]:
    """restartCount never falls, and each restart shows (kuberuntime_container.go: attempt of the last instance + 1).

    Of restarts while the API cannot be reached only the last shows.
    """
    for records in _statuses(timeline):
        untold = _untold(timeline, records)
        for name, row in _rows(records).items():
            for (before, a), (r, b) in pairwise(row):
                rise = b["restartCount"] - a["restartCount"]
                if rise < 0 or (rise > 1 and not _within(untold, before["t"], r["t"])):
                    yield f"{_at(r)}: {name} went from {a['restartCount']} to {b['restartCount']} restarts"


@validator
def a_restarted_container_had_an_end(timeline: Timeline) -> Iterator[str]:
    """lastState tells how the instance before ended (kubelet_pods.go convertToAPIContainerStatuses).

    A new sandbox has no records of init containers: they run anew, and are counted on all the same. What was being
    made when its node lost its power has no end to tell of.
    """
    if _boots(timeline):
        return
    for records in _statuses(timeline):
        inits = {c["name"] for r in records for c in r.get("initContainers", ())}
        anew = inits if any(e["reason"] == "SandboxChanged" for e in _events(timeline, records)) else ()
        for name, row in _rows(records).items():
            for r, c in row:
                if c["state"] == "running" and c["restartCount"] and not c.get("last") and name not in anew:
                    yield f"{_at(r)}: {name} was restarted, but has no last state"


@validator
def no_start_inside_the_back_off(timeline: Timeline) -> Iterator[str]:
    """A crashed container waits 10, 20, 40 … 300 s from its end; only the first restart is at once.

    (kuberuntime_manager.go doBackOff.) Once the kubelet itself has killed an instance other rules hold, since its
    back-off then looks at the instance before; a rebooted node has forgotten all, and a new image begins afresh: such
    restarts are left out, and those of which the API heard late.
    """
    boots = _boots(timeline)
    for records in _statuses(timeline):
        events, untold = _events(timeline, records), _untold(timeline, records)
        kills = [e for e in events if e["reason"] in ("Killing", "FailedPostStartHook", "SandboxChanged")]
        if len(_containers(records[0])) > 1 and len([e for e in events if e["type"] == "Normal"]) >= 24:
            continue  # from the 25th on, the spam filter swallows events, and with them what the worker did
        for name, row in _rows(records).items():
            pulls = [e for e in events if e["reason"] == "Pulled" and _of(e) == name]
            if len({e["message"].partition('"')[2].partition('"')[0] for e in pulls}) > 1:
                continue
            pulled = [e["t"] for e in pulls]
            ends = [(r["t"], c["restartCount"]) for r, c in row if c["state"] == "terminated"]
            starts = {c["restartCount"]: r["t"] for r, c in reversed(row) if c["state"] == "running"}
            for end, number in ends:
                again = starts.get(number + 1)
                if again is None or number < 1 or any(b < again for b in boots) or _within(untold, end, again):
                    continue
                if any(_of(e) in (name, "") and e["t"] < again for e in kills):
                    continue
                if any(_of(e) not in (name, "") and starts.get(number, 0) <= e["t"] <= end for e in events):
                    continue  # while the pod's worker is busy with another container, an end may be seen much later
                begun = max([t for t in pulled if end < t <= again], default=again)
                back_off = min(10 * 2 ** (number - 1), 300)
                if begun - end < back_off - SEEN_LATE and begun - starts.get(number, begun) < 600:
                    waited = f"{begun - end:.1f} s after its end at {end:.2f} s; the back-off is {back_off} s"
                    yield f"{records[0]['object']}: restart {number + 1} of {name} comes {waited}"


@validator
def a_kill_by_a_probe_follows_its_failure(timeline: Timeline) -> Iterator[str]:
    """A probe's Killing comes with the failure that reached the threshold (prober/worker.go, computePodActions).

    A pod's worker does one thing after another: while it stops one container, the kill of another waits.
    """
    for records in _statuses(timeline):
        events, untold = _events(timeline, records), _untold(timeline, records)
        alone = len(_containers(records[0])) == 1
        for e in events:
            probe = next((p for p in ("liveness", "startup") if f"failed {p} probe" in e["message"]), None)
            if e["reason"] != "Killing" or probe is None:
                continue
            before = [x for x in events if x["type"] == "Warning" and x["t"] <= e["t"] + 0.15]
            failed = [
                x
                for x in before
                if x["reason"] == "Unhealthy" and x["message"].removeprefix(COMBINED).lower().startswith(probe)
            ]
            starts = [x["t"] for x in events if x["reason"] == "Started" and _of(x) == _of(e) and x["t"] <= e["t"]]
            since = e["t"] - SEEN_LATE if alone else max(starts, default=0)
            # an event that stands for many keeps the container of the first
            same = [x for x in failed if x["t"] > since and (_of(x) == _of(e) or x["message"].startswith(COMBINED))]
            if (
                not same and len(before) < 24 and not _within(untold, since, e["t"])
            ):  # from the 25th on, the spam filter swallows events
                yield f"{_at(e)}: {_of(e)} is killed by its {probe} probe, which has not failed"


@validator
def no_instance_is_created_twice(timeline: Timeline) -> Iterator[str]:
    """Between two starts one instance is created, unless a start failed (kuberuntime_container.go startContainer)."""
    boots = _boots(timeline)
    for records in _statuses(timeline):
        events = _events(timeline, records)
        if len([e for e in events if e["type"] == "Normal"]) >= 25 or boots:
            continue
        untold = _untold(timeline, records)
        for name in {_of(e): None for e in events if _of(e)}:
            waiting: Record | None = None
            for e in events:
                if _of(e) != name:
                    continue
                if e["reason"] == "Created":
                    if waiting is not None and not _within(untold, waiting["t"], e["t"]):
                        yield f"{_at(e)}: {name} is created twice before it starts"
                        break
                    waiting = e
                elif e["reason"] in ("Started", "Failed"):
                    waiting = None


# ---- events, controllers, services


@validator
def event_counts_never_fall(timeline: Timeline) -> Iterator[str]:
    """A repeated event counts up (client-go events_cache.go); a new object or a new kubelet begins at 1.

    The scheduler has another recorder: its series are each of one version of the pod, which records do not tell
    (client-go tools/events/event_broadcaster.go getKey).
    """
    boots = _boots(timeline)
    known: dict[tuple[str, ...], Record] = {}
    for r in timeline:
        if r.get("deleted"):
            known = {key: e for key, e in known.items() if key[:2] != (r.get("namespace", ""), r["object"])}
        if r["kind"] != "Event":
            continue
        parts = ("namespace", "object", "reason", "type", "message", "from", "field")
        if "CONTAINERID" in r["message"] or r.get("from") == "default-scheduler":
            continue  # different events that only look the same
        key = tuple(str(r.get(part, "")) for part in parts)
        before = known.get(key)
        rebooted = before is not None and any(before["t"] < b <= r["t"] for b in boots)
        if before is not None and not rebooted and r["count"] < before["count"]:
            yield f"{_at(r)}: {r['reason']} counts {r['count']} after {before['count']}"
        known[key] = r


@validator
def a_ready_endpoint_serves(timeline: Timeline) -> Iterator[str]:
    """ready = serving and not terminating (endpointslice/utils.go podToEndpoint)."""
    for records in _statuses(timeline, "EndpointSlice"):
        for r in records:
            for e in r["endpoints"]:
                if e["ready"] != (e["serving"] and not e["terminating"]):
                    flags = ", ".join(f"{flag} {e[flag]}" for flag in ("ready", "serving", "terminating"))
                    yield f"{_at(r)}: {e['pod']} is {flags}"


@validator
def endpoints_follow_their_pods(timeline: Timeline) -> Iterator[str]:
    """An endpoint is ready exactly while its pod is Ready and not being deleted (endpointslice/utils.go podToEndpoint).

    A pod whose labels were changed from outside may have left the Service; it is left out.
    """
    down = _cuts(timeline)
    labelled = {
        f"Pod/{r['args']['pod']}"
        for r in timeline
        if r["kind"] == "Action" and r["verb"] == "label" and isinstance(r["args"], dict) and "pod" in r["args"]
    }
    for slices in _statuses(timeline, "EndpointSlice"):
        begin, end = slices[0]["t"], slices[-1]["t"] if slices[-1].get("deleted") else timeline.end
        members = {e["pod"]: None for r in slices for e in r["endpoints"]}
        for pods in _statuses(timeline):
            name = pods[0]["object"].partition("/")[2]
            if name not in members or pods[0]["object"] in labelled:
                continue
            should = [
                (r["t"], r["conditions"].get("Ready") == "True" and not r.get("terminating") and not r.get("deleted"))
                for r in pods
            ]
            is_so = [(r["t"], any(e["pod"] == name and e["ready"] for e in r["endpoints"])) for r in slices]
            until = min(end, pods[-1]["t"] if pods[-1].get("deleted") else timeline.end)
            yield from (
                f"{slices[0]['object']}: {name} is {'' if is_now else 'not '}ready there at {t:.2f} s, unlike its pod"
                for t, is_now in _apart(should, is_so, max(begin, pods[0]["t"]), until, down)
            )


def _apart(
    should: list[tuple[float, bool]],
    is_so: list[tuple[float, bool]],
    begin: float,
    end: float,
    down: list[tuple[float, float]],
) -> Iterator[tuple[float, bool]]:
    """Moments at which two rows have differed for longer than a controller's lag, though it could write."""

    def value(row: list[tuple[float, bool]], t: float) -> bool:
        found = False
        for when, what in row:
            if when > t:
                break
            found = what
        return found

    changes = sorted({t for row in (should, is_so) for t, _ in row if begin <= t < end} | {begin})
    for a, b in pairwise([*changes, end]):
        if value(should, a) != value(is_so, a):
            since = a
            for gone, back in sorted(down):
                if gone - since <= LAG:
                    since = max(since, back)
            if b - since > LAG:
                yield since + LAG, value(is_so, a)


@validator
def replicas_are_the_active_pods(timeline: Timeline) -> Iterator[str]:
    """At rest, replicas and ready count the owned pods, neither done nor being deleted (replica_set_utils.go).

    As long as nobody can write, there is no rest.
    """
    down = _cuts(timeline)
    moments = sorted({r["t"] for r in timeline if r["kind"] in ("Pod", "ReplicaSet")} | {up for _, up in down})
    quiet = [a + QUIET for a, b in pairwise([*moments, timeline.end]) if b - a > QUIET]
    quiet = [t for t in quiet if not any(a <= t and t - QUIET < b for a, b in down)]
    if not any(r["kind"] == "ReplicaSet" for r in timeline):
        return
    for t in quiet:
        now = timeline.at(t)
        for name, r in now.items():
            if r["kind"] != "ReplicaSet":
                continue
            mine = [
                p
                for p in now.values()
                if p["kind"] == "Pod"
                and p.get("owner") == r["object"]
                and not p.get("terminating")
                and _RANK.get(p["phase"]) != 2
            ]
            ready = sum(1 for p in mine if p["conditions"].get("Ready") == "True")
            if (r["replicas"], r["ready"]) != (len(mine), ready):
                says = f"{r['replicas']} pods, {r['ready']} ready"
                yield f"{name} at {t:.2f} s says {says}; there are {len(mine)}, {ready} ready"


# ---- what only the simulator knows


@validator
def no_request_is_lost_from_the_books(timeline: Timeline) -> Iterator[str]:
    """Each request that was sent was served or lost."""
    for r in timeline:
        if r["kind"] == "Traffic" and r["sent"] != r["served"] + r["lost"]:
            yield f"{_at(r)}: {r['sent']} sent, {r['served']} served, {r['lost']} lost"


@validator
def runs_of_a_probe_add_up(timeline: Timeline) -> Iterator[str]:
    """A stretch of equal results is part of a run at least as long (prober/worker.go doProbe: resultRun)."""
    for r in timeline:
        if r["kind"] == "Probe" and r["result"] in ("success", "warning", "failure") and r["run"] < r["times"]:
            yield f"{_at(r)}: {r['times']} times {r['result']}, but a run of {r['run']}"
