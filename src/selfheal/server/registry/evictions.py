"""``pods/eviction`` and ``pods/binding`` (pkg/registry/core/pod/storage)."""

from __future__ import annotations

import asyncio

import simpy

from selfheal.errors import ApiError, BadRequest
from selfheal.eviction import Eviction
from selfheal.server import statuses
from selfheal.server.context import Context
from selfheal.server.endpoints.handlers import write
from selfheal.server.http import Response, as_json


async def evict(context: Context) -> Response:
    """POST of an Eviction; the answer comes when its requests are through, some milliseconds of cluster time later."""
    value = write.body(context.request)
    if not isinstance(value, dict) or value.get("kind", "Eviction") != "Eviction":
        raise BadRequest("the object provided is unrecognized (must be of type Eviction)")
    options = value.get("deleteOptions") or {}
    grace = options.get("gracePeriodSeconds") if isinstance(options, dict) else None
    pod = context.current()
    if context.dry(options):
        return as_json(statuses.success(code=201), 201)
    cluster, info = context.cluster, context.info
    cause = context.cause(what=f"The eviction of Pod/{info.name} was asked for by {context.manager}.")
    done: asyncio.Future[BaseException | None] = asyncio.get_running_loop().create_future()

    def begin() -> None:
        eviction = Eviction(cluster.store, cluster.clock, cluster.chance)
        process = cluster.clock.process(
            eviction.evict(
                info.namespace, pod["metadata"]["name"], cause, grace=grace if isinstance(grace, int) else None
            )
        )
        assert process.callbacks is not None
        process.callbacks.append(over)

    def over(event: simpy.Event) -> None:
        error = None if event.ok else event.value
        event.defused = True
        if not done.done():
            done.set_result(error)

    context.time.call(begin)
    error = await done
    if isinstance(error, ApiError):
        raise error
    return as_json(statuses.success(code=201), 201)


def bind(context: Context) -> Response:
    """POST of a Binding: a scheduler has chosen."""
    value = write.body(context.request)
    target = (value.get("target") or {}) if isinstance(value, dict) else {}
    node = target.get("name") if isinstance(target, dict) else None
    if not node or not isinstance(node, str):
        raise BadRequest("the object provided is unrecognized (must be of type Binding)")
    name = context.info.name or str((value.get("metadata") or {}).get("name", ""))
    with write.writing(context):
        context.store.bind(context.info.namespace, name, node, cause=context.cause(name))
    return as_json(statuses.success(code=201), 201)
