"""Where a Service's requests go: its pods, their endpoints, and what is lost, second by second.

routes(cluster, cluster.traffic("web", rate=20), until=60, do={30: lambda c: c.delete("pod/web-0")})
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, field

from selfheal.cluster import Cluster
from selfheal.lessons.film import Act, Film, chip, film, short
from selfheal.lessons.questions import Question
from selfheal.objects import labels, name
from selfheal.printers.pods import summary
from selfheal.proxy import SERVICE_LABEL
from selfheal.traffic import Traffic
from selfheal.words import words

WIDEST = 90
"""Of the bar of a pod that gets all requests (px)."""
ENDPOINT = {"listed": "ok", "unready": "wait", "leaving": "wait", "serving": "wait", "missing": "off"}


@dataclass(frozen=True, slots=True)
class Backend:
    """A pod of the Service. ``endpoint``: a key of :data:`ENDPOINT`; ``share``: the requests a second that it gets."""

    pod: str
    status: str
    endpoint: str
    share: float


@dataclass(frozen=True, slots=True)
class Routes:
    """A Service at one moment. ``sent``, ``served``: of the second that has just passed; ``total``: lost so far."""

    service: str
    backends: tuple[Backend, ...]
    losing: bool
    sent: int = field(compare=False)
    served: int = field(compare=False)
    total: int = field(compare=False)

    def told(self, before: Routes) -> list[str]:
        say, out = words("routes"), []
        old = {backend.pod: backend for backend in before.backends}
        for now in self.backends:
            pod, was = short(now.pod), old.pop(now.pod, None)
            if was is None:
                out.append(say["tell.new"].format(pod=pod))
            if was is not None and was.status != now.status:
                out.append(say["tell.status"].format(pod=pod, **{"is": now.status}))
            if was is not None and was.endpoint != now.endpoint:
                out.append(say["tell.endpoint"].format(pod=pod, **{"is": say[now.endpoint]}))
            if now.share != (was.share if was else 0):
                out.append(say["tell.share"].format(pod=pod, n=f"{now.share:g}"))
        out += [say["tell.gone"].format(pod=short(pod)) for pod in old]
        if self.losing != before.losing:
            out.append(say["tell.loses" if self.losing else "tell.saved"].format(n=self.total))
        return out

    def html(self) -> str:
        say = words("routes")
        most = max((backend.share for backend in self.backends), default=0) or 1
        rows = "".join(
            f'<tr><th scope="row"><code>{html.escape(short(b.pod))}</code><br>{html.escape(b.status)}</th>'
            f"<td>{chip(ENDPOINT[b.endpoint], say[b.endpoint])}</td>"
            f'<td><span class="share" style="width:{WIDEST * b.share / most:.0f}px"></span>{b.share:g}</td></tr>'
            for b in self.backends
        )
        head = "".join(f'<th scope="col">{html.escape(say[key])}</th>' for key in ("pod", "slice", "share"))
        lost = self.sent - self.served
        rate = say["rate"].format(sent=self.sent, served=self.served, lost=lost)
        title = html.escape(say["service"].format(name=self.service))
        return (
            f"<p><strong>{title}</strong> · {chip('sick', rate) if lost else html.escape(rate)} · "
            f"{html.escape(say['so.far'].format(n=self.total))}</p>"
            f'<div class="film-scroll" role="group" tabindex="0" aria-label="{title}">'
            f'<table class="routes"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
        )


def routes(
    cluster: Cluster,
    traffic: Traffic,
    until: float,
    *,
    do: Mapping[float, Act] | None = None,
    ask: Mapping[float, Question] | None = None,
    title: str = "",
) -> Film:
    """Let the cluster run to ``until`` (s); for ``do`` and ``ask`` see :func:`selfheal.lessons.film.film`.

    ``traffic``: what :meth:`selfheal.Cluster.traffic` has given.
    """
    return film(title or words("routes")["title"], cluster, until, lambda c: seen(c, traffic), do=do, ask=ask)


def seen(cluster: Cluster, traffic: Traffic) -> Routes:
    """A Service as it is now."""
    space, service = traffic.service
    endpoints: dict[str, str] = {}
    for found in cluster.get("endpointslices", namespace=space):
        if labels(found).get(SERVICE_LABEL) == service:
            for endpoint in found.get("endpoints") or ():
                endpoints[endpoint["targetRef"]["name"]] = _endpoint(endpoint["conditions"])
    selector = cluster.get("Service", service, namespace=space)["spec"].get("selector") or {}
    backends = []
    for pod in cluster.get("pods", namespace=space):
        if selector.items() <= labels(pod).items():
            share = round(traffic.share(name(pod)), 1)
            backends.append(Backend(name(pod), summary(pod).status, endpoints.get(name(pod), "missing"), share))
    counted = cluster.timeline.select(kind="Traffic", object=f"Service/{service}", namespace=space)
    last = counted[-1] if counted else {"sent": 0, "served": 0, "lost": 0}
    total = sum(r["lost"] * r["times"] for r in counted)
    return Routes(service, tuple(backends), bool(last["lost"]), last["sent"], last["served"], total)


def _endpoint(conditions: Mapping[str, bool]) -> str:
    if conditions.get("ready"):
        return "listed"
    if conditions.get("terminating"):
        return "leaving"
    return "serving" if conditions.get("serving") else "unready"
