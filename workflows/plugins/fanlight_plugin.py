"""Node types for Fanlight in Python 3.9 or newer: one file without dependencies. Copy it into the folder of your plugin.

    from typing import Annotated
    from fanlight_plugin import node, run

    @node("shout.loud", effects="none")
    def loud(text: Annotated[str, "The text."]) -> Annotated[str, "The text in capitals."]:
        "Writes a text in capitals."
        return text.upper()

    run("shout")

The parameters of the function are the inputs: their annotations are the types, their defaults are the defaults, and
`Annotated` adds a summary and, as a dict, further fields such as `{"min": 1, "max": 40}` or `{"secret": True}`. A `Literal`
is a choice, and `Optional` with the default `None` may be left out. `str`, `int`, `float`, `bool`, `dict`, `Any` and `list[...]`
are what they are called; `File`, `Folder`, `Image`, `Audio` and `Video` are paths. The result is the output `result`, or one
output for each key of a `TypedDict`. Write files that are outputs into `folder()`, and return their paths.

A function that takes long calls `progress`, `log` or `chunk` now and then: they raise `Cancelled` when the attempt is no
longer wanted. What it prints goes to the log of the node.
"""

import inspect
import json
import os
import pathlib
import queue
import sys
import threading
import traceback
import types
import typing

__all__ = ["Audio", "Cancelled", "Failed", "File", "Folder", "Image", "Video"]
__all__ += ["attempt", "chunk", "folder", "log", "metric", "node", "progress", "run"]


class Cancelled(Exception):
    """The attempt is no longer wanted."""


class Failed(Exception):
    """The node fails with this sentence. Any other exception fails it too, and prints its traceback to the log."""


class File(type(pathlib.Path())):
    """The path of a file. `about` of an input has its `name`, `kind`, `mime`, `bytes`, and a picture's `width` and `height`."""

    about: dict = {}


class Folder(File):
    """The path of a folder."""


class Image(File):
    """The path of a picture."""


class Audio(File):
    """The path of a sound."""


class Video(File):
    """The path of a video."""


PORT_TYPES = {str: "text", int: "int", float: "float", bool: "bool", dict: "json", typing.Any: "any"}
PORT_TYPES.update({File: "file", Folder: "dir", Image: "image", Audio: "audio", Video: "video"})

_types = {}
_current = threading.local()
_running = {}
_writing = threading.Lock()


def attempt():
    """Returns the params of the `execute` request: `run_number`, `workflow`, `node`, `item`, `number`, `key` and others."""
    return _current.params


def folder():
    """Returns the folder for the files of this attempt."""
    return pathlib.Path(_current.params["folder"])


def progress(value, message=None):
    """Reports how much is done, from 0 to 1."""
    _report("progress", value=value, **({} if message is None else {"message": message}))


def log(message, level="info"):
    """Appends a line to the log of the node."""
    _report("log", message=str(message), level=level)


def chunk(text):
    """Shows a piece of the text that the node makes."""
    _report("chunk", text=text)


def metric(name, value):
    """Reports a number that changes while the node runs."""
    _report("metric", name=name, value=value)


def node(name, *, effects="external", version=1, pool=None):
    """Makes a function a node type. The first paragraph of its docstring is the summary."""

    def add(function):
        inner = inspect.unwrap(function)
        # Of a function, Python 3.9 and 3.10 make each hint with the default `None` another `Optional`.
        annotated = types.SimpleNamespace(__annotations__=inner.__annotations__)
        hints = typing.get_type_hints(annotated, inner.__globals__, include_extras=True)
        result = hints.get("return", typing.Any)
        single = not hasattr(_parts(result)[0], "__total__")
        outputs = {"result": result} if single else typing.get_type_hints(_parts(result)[0], include_extras=True)
        parameters = inspect.signature(function).parameters
        inputs = {port: _input(hints.get(port, typing.Any), parameters[port].default, port) for port in parameters}
        described = {
            "name": name,
            "summary": " ".join((inspect.getdoc(function) or f"{name}.").split("\n\n")[0].split()),
            "effects": effects,
            "version": version,
            "inputs": inputs,
            "outputs": {port: _port(hint, port) for port, hint in outputs.items()},
        }
        if pool:
            described["pool"] = pool
        kinds = {port: _plain(_parts(hints.get(port, typing.Any))[0])[0] for port in parameters}
        _types[name] = (function, described, kinds, single)
        return function

    return add


def run(name):
    """Speaks with Fanlight until it has no more requests. `name` is that of the manifest."""
    os.set_inheritable(3, False)
    os.set_inheritable(4, False)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)
    _current.params = None
    work, idle = queue.SimpleQueue(), threading.Event()
    idle.set()
    threading.Thread(target=_or_crash, args=(_listen, name, work, idle), daemon=True).start()
    while True:
        request = work.get()
        if request is None:
            break
        _or_crash(_execute, *request, idle)
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()


def _or_crash(function, *arguments):
    """Calls a function. If it fails, nobody would take or answer requests any more: the process ends instead."""
    try:
        function(*arguments)
    except BaseException:
        try:
            traceback.print_exc()
        finally:
            os._exit(1)


def _listen(name, work, idle):
    """Takes requests. The main thread executes them, and others help while it is busy: `concurrent` says how many."""
    with open(3, encoding="utf-8", closefd=False) as requests:
        for line in requests:
            message = json.loads(line)
            id, method, params = message.get("id"), message.get("method"), message.get("params") or {}
            if method == "hello":
                _say(id=id, result={"protocol": 1, "name": name})
            elif method == "describe":
                _say(id=id, result={"node_types": [described for _, described, _, _ in _types.values()]})
            elif method == "execute":
                _running[id] = threading.Event()
                if idle.is_set():
                    idle.clear()
                    work.put((id, params))
                else:
                    threading.Thread(target=_or_crash, args=(_execute, id, params, threading.Event())).start()
            elif method == "cancel":
                # The attempt may end at this moment.
                cancelled = _running.get(params.get("id"))
                if cancelled:
                    cancelled.set()
            elif id is not None:
                _say(id=id, error={"code": -32601, "message": f"there is no method {method}"})
    for cancelled in list(_running.values()):
        cancelled.set()
    work.put(None)


def _execute(id, params, idle):
    _current.id, _current.params, _current.cancelled = id, params, _running[id]
    try:
        function, described, kinds, single = _types[params["type"]]
        inputs = {port: _read(value, kinds[port]) for port, value in params["inputs"].items()}
        result = function(**inputs)
        outputs = {"result": result} if single else dict(result)
        answer = {"result": {"outputs": {port: _written(value) for port, value in outputs.items()}}}
        # What is not JSON is the fault of the function.
        json.dumps(answer)
    except Cancelled:
        answer = {"error": {"code": 2, "message": "cancelled"}}
    except Failed as failure:
        answer = {"error": {"code": 1, "message": str(failure)}}
    # `sys.exit` too: in a thread it would only end the thread.
    except BaseException as error:
        traceback.print_exc()
        answer = {"error": {"code": 1, "message": f"{type(error).__name__}: {error}"}}
    del _running[id]
    # The next request may come as soon as this one is answered.
    idle.set()
    _say(id=id, **answer)


def _report(method, **params):
    if _current.cancelled.is_set():
        raise Cancelled
    _say(method=method, params={"id": _current.id, **params})


def _say(**message):
    line = (json.dumps({"jsonrpc": "2.0", **message}) + "\n").encode()
    with _writing:
        while line:
            line = line[os.write(4, line):]


def _parts(hint):
    """Returns an annotation without `Annotated`, its summary, and its further fields."""
    summary, fields = None, {}
    if hasattr(hint, "__metadata__"):
        for part in hint.__metadata__:
            if isinstance(part, str):
                summary = part
            elif isinstance(part, dict):
                fields.update(part)
        hint = hint.__origin__
    return hint, summary, fields


def _plain(hint):
    """Returns an annotation without `Optional`, and whether it had one."""
    arguments = typing.get_args(hint)
    if type(None) not in arguments or typing.get_origin(hint) in (list, typing.Literal):
        return hint, False
    rest = [argument for argument in arguments if argument is not type(None)]
    return _parts(rest[0])[0] if len(rest) == 1 else typing.Any, True


def _port(hint, name):
    hint, summary, fields = _parts(hint)
    if summary is None and type(None) in typing.get_args(hint):
        summary = next((_parts(part)[1] for part in typing.get_args(hint)), None)
    return {"type": _name(_plain(hint)[0]), "summary": summary or f"The {name}.", **fields}


def _name(hint):
    if typing.get_origin(hint) is list:
        return f"list<{_name(typing.get_args(hint)[0])}>"
    if typing.get_origin(hint) is typing.Literal:
        return "choice"
    if hint not in PORT_TYPES:
        raise TypeError(f"{hint} is not the type of a port; use {', '.join(it.__name__ for it in PORT_TYPES if it is not typing.Any)}")
    return PORT_TYPES[hint]


def _input(hint, default, name):
    port = _port(hint, name)
    plain = _plain(_parts(hint)[0])[0]
    if typing.get_origin(plain) is typing.Literal:
        port["choices"] = list(typing.get_args(plain))
    if default is None:
        port["optional"] = True
    elif default is not inspect.Parameter.empty:
        port["default"] = default
    return port


def _read(value, kind):
    """Returns an input as its function takes it."""
    if typing.get_origin(kind) is list and isinstance(value, list):
        return [_read(item, typing.get_args(kind)[0]) for item in value]
    if isinstance(kind, type) and issubclass(kind, File):
        path = kind(value["path"])
        path.about = value
        return path
    # NaN and the infinities are texts.
    return float(value) if kind is float else value


def _written(value):
    """Returns an output as JSON: a path is that of a file."""
    if isinstance(value, (list, tuple)):
        return [_written(item) for item in value]
    if isinstance(value, pathlib.PurePath):
        return {"path": os.path.relpath(value, _current.params["folder"]) if value.is_absolute() else str(value)}
    return value
