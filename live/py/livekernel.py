"""The few parts of a Jupyter kernel that a page needs, inside Pyodide's worker.

``IPython`` in the page is this file: display, clear_output, get_ipython. ipywidgets and anywidget import it as
they import the real one; their messages leave through ``comm``. What Python says to the page goes through ``say``:
nbformat outputs with the index of their cell, and Jupyter's comm messages.
"""

import base64
import builtins
import getpass
import importlib
import json
import linecache
import os
import random
import sys
import time
import traceback
import types
from pathlib import Path

import __main__
import comm
from comm.base_comm import BaseComm, CommManager

# No `import js` up here: a module that holds JavaScript objects cannot be kept in a memory snapshot.

MOST = 400_000  # characters of output that a cell may show: more would choke the page, not help the reader
EACH = 200  # characters that an output counts for besides its own: many small ones choke a page, too

_cell = None  # index of the cell that runs; in a callback, of the cell that made the widget
_captures = []  # open Output widgets, innermost last
_left = MOST


def say(message, buffers=()):
    from js import liveSay
    from pyodide.ffi import to_js

    liveSay(json.dumps(message, default=str), to_js([to_js(memoryview(b).cast("B")) for b in buffers]))


# ---- outputs


def emit(output):
    """One nbformat output: to the innermost open Output widget, else to the running cell."""
    if _captures:
        widget = _captures[-1]
        old = () if getattr(widget, "_live_clear", False) else tuple(widget.outputs)
        widget._live_clear = False
        if old and output["output_type"] == "stream" == old[-1]["output_type"] and old[-1]["name"] == output["name"]:
            output = {**output, "text": old[-1]["text"] + output["text"]}
            old = old[:-1]
        widget.outputs = (*old, output)
    else:
        say({"type": "output", "cell": _cell, **output})


def spend(size):
    """Takes from what the cell may still show. Says so once when it is used up."""
    global _left
    had, _left = _left, _left - size - EACH
    if had > 0 >= _left:
        text = f"\n… the rest is not shown: a cell shows at most {MOST:,} characters in {MOST // EACH:,} outputs\n"
        emit({"output_type": "stream", "name": "stderr", "text": text})
    return had > 0


class Stream:
    """Standard output or error. Gathers what is printed in quick succession into one message."""

    encoding, errors, closed = "utf-8", "strict", False

    def __init__(self, name):
        self.name, self.parts, self.since = name, [], 0.0

    def write(self, text):
        text = str(text)
        if text and _left > 0:
            (ERR if self is OUT else OUT).flush()  # in the order in which they were written
            self.parts.append(text[: _left + 1])
            if time.monotonic() - self.since > 0.1 or len(self.parts) > 500 or len(text) > _left:
                self.flush()
        return len(text)

    def flush(self):
        text, self.parts, self.since = "".join(self.parts), [], time.monotonic()
        if text and _left > 0:
            emit({"output_type": "stream", "name": self.name, "text": text[:_left]})
            spend(len(text))

    def isatty(self):
        return False


OUT, ERR = Stream("stdout"), Stream("stderr")


def flush():
    OUT.flush()
    ERR.flush()


def ask(*_, **__):
    raise RuntimeError("a page cannot ask while a cell runs: write the answer into the cell")


MIMES = {"html": "text/html", "svg": "image/svg+xml", "png": "image/png", "markdown": "text/markdown"}


def bundle(value):
    """What an object says of itself, by MIME type."""
    made = value._repr_mimebundle_(include=None, exclude=None) if hasattr(type(value), "_repr_mimebundle_") else None
    if made:
        return made[0] if isinstance(made, tuple) else made
    data = {"text/plain": "\n".join(repr(value).splitlines())}  # as IPython does: without a last newline
    for name, mime in MIMES.items():
        method = getattr(type(value), f"_repr_{name}_", None)
        shown = method(value) if method else None
        if shown is not None:
            data[mime] = base64.b64encode(shown).decode() if isinstance(shown, bytes) else shown
    return data


def show(kind, data, **more):
    flush()
    if _left > 0:
        size = sum(len(str(text)) for text in data.values())
        if size > _left:  # markup cannot be cut
            data = {"text/plain": str(data.get("text/plain", ""))[:_left]}
        emit({"output_type": kind, "data": data, "metadata": {}, **more})
        spend(size)


def display(*values, **_):
    for value in values:
        show("display_data", bundle(value))


def clear_output(wait=False):
    if _captures:
        _captures[-1].clear_output(wait)
    else:
        say({"type": "output", "cell": _cell, "output_type": "clear"})


def error(problem, trace=None):
    frames = traceback.extract_tb(problem.__traceback__ if trace is None else trace)
    frames = [f for f in frames if "pyodide" not in f.filename and f.filename != __file__]
    lines = traceback.format_list(frames) + traceback.format_exception_only(problem)
    text = ["Traceback (most recent call last):", "".join(lines).rstrip()[-10_000:]]
    flush()
    emit({"output_type": "error", "ename": type(problem).__name__, "evalue": str(problem)[:1000], "traceback": text})


# ---- a small IPython


class _Data:
    mime = "text/plain"

    def __init__(self, data="", **_):
        self.data = data

    def _repr_mimebundle_(self, **_):
        return {"text/plain": f"<IPython.core.display.{type(self).__name__} object>", self.mime: self.data}


class Shell:
    kernel = types.SimpleNamespace(comm_manager=None)
    user_ns = __main__.__dict__
    events = types.SimpleNamespace(trigger=lambda *_: None, register=lambda *_: None, unregister=lambda *_: None)

    @classmethod
    def instance(cls):
        return shell

    @property
    def display_formatter(self):
        return types.SimpleNamespace(format=lambda value: (bundle(value), {}))

    def showtraceback(self, exc_tuple=None, **_):
        error((exc_tuple or sys.exc_info())[1])


shell = Shell()


def _module(name, **members):
    module = sys.modules[name] = types.ModuleType(name)
    module.__dict__.update(members, __path__=[])
    return module


def install():
    names = {"HTML": "html", "SVG": "svg", "Markdown": "markdown"}
    kinds = {name: type(name, (_Data,), {"mime": MIMES[kind]}) for name, kind in names.items()}
    shown = _module("IPython.display", display=display, clear_output=clear_output, **kinds)
    inner = _module("IPython.core.interactiveshell", InteractiveShell=Shell)
    core = _module("IPython.core", interactiveshell=inner)
    here = {"get_ipython": lambda: shell, "display": shown, "core": core}
    _module("IPython", version_info=(9, 0, 0), __version__="9.0.0", **here)
    __main__.__dict__.update(display=display, get_ipython=here["get_ipython"])  # as in every notebook
    sys.stdout, sys.stderr = OUT, ERR
    builtins.input = getpass.getpass = ask


# ---- comms


class PageComm(BaseComm):
    def __init__(self, *args, **keys):
        self.cell = _cell  # what a callback prints shows under the cell that made the widget
        super().__init__(*args, **keys)

    def publish_msg(self, msg_type, data=None, metadata=None, buffers=None, **keys):
        content = {"comm_id": self.comm_id, "data": data or {}, **keys}
        say({"type": msg_type, "content": content, "metadata": metadata or {}}, buffers or ())


manager = CommManager()
comm.create_comm = PageComm
comm.get_comm_manager = lambda: manager


def on_comm(text, buffers):
    """A message from a widget on the page."""
    global _cell, _left
    message = json.loads(text)
    message["buffers"] = [memoryview(b.to_bytes()) for b in buffers]
    message.setdefault("metadata", {})
    known = manager.comms.get(message["content"]["comm_id"])
    _cell, _left = known.cell if known else None, MOST
    try:
        getattr(manager, message["type"])(None, None, message)
    finally:
        flush()
        _cell = None


def _patch_output(output):
    """``with Output():`` relies on a kernel's message ids; here it writes ``outputs`` itself."""

    def enter(self):
        flush()
        _captures.append(self)
        return self

    def leave(self, _type, problem, trace):
        if problem is not None:
            error(problem, trace)
        flush()
        if self in _captures:
            _captures.remove(self)
        return True if problem is not None else None

    def clear(self, wait=False):
        self._live_clear = wait
        if not wait:
            self.outputs = ()

    output.__enter__, output.__exit__, output.clear_output = enter, leave, clear


# ---- what the page asks for


def wake(folder):
    """After each start, from a snapshot or not: the dice anew, files found again, the folder that notebooks run in."""
    random.seed()
    importlib.invalidate_caches()
    Path(folder).mkdir(parents=True, exist_ok=True)
    os.chdir(folder)


async def execute(index, code):
    """Runs a cell; its outputs go to the page as they come. Magics (lines with % or !) are left out."""
    global _cell, _left
    from pyodide.code import eval_code_async

    _cell, _left, name = index, MOST, f"<cell {index}>"
    sys.stdout, sys.stderr = OUT, ERR  # whatever another cell did with them
    _captures.clear()
    code = "\n".join("" if line.startswith(("%", "!")) else line for line in code.split("\n"))
    linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
    try:
        value = await eval_code_async(code, __main__.__dict__, filename=name)
        if value is not None:
            show("execute_result", bundle(value), execution_count=None)
    except BaseException as problem:  # noqa: BLE001 - shown where it happened, as a notebook would
        error(problem)
    finally:
        flush()
        _cell = None


def call(target, texts):
    """``module:function`` with texts; gives its text and what went wrong, of which one is empty."""
    module, _, name = target.partition(":")
    try:
        return getattr(importlib.import_module(module), name)(*texts), ""
    except Exception as problem:  # noqa: BLE001 - whoever asked from the page is told
        return "", traceback.format_exception_only(problem)[-1].strip()


install()
import ipywidgets  # noqa: E402 - after install: it imports IPython

_patch_output(ipywidgets.Output)
