#!/usr/bin/env python3
"""Stands in for OpenSSH in tests: the other computer is this one, with the environment of another home.

Beside it are `environment`, a JSON object, and perhaps `says`: an exit code, after `answers ` for a message on standard output,
and on further lines a message; after `stale ` it is the answer through the shared connection alone, until that is stopped. Its calls are written to `calls`. A forwarded socket is a process of its own, whose number is in the file with the ending `.pid`; killed,
it is a network that went away.
"""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys

FOLDER = os.path.dirname(os.path.abspath(__file__))


def beside(name):
    return os.path.join(FOLDER, name)


def forward(local, remote):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(local)
    listener.listen()
    if os.fork():
        return
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(null, number)
    with open(beside(f"{os.getpid()}.pid"), "w") as file:
        file.write(local)
    asyncio.run(serve(listener, local, remote))


async def serve(listener, local, remote):
    async def pump(reader, writer):
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        writer.close()

    async def connected(reader, writer):
        try:
            there = await asyncio.open_unix_connection(remote)
        except OSError:
            writer.close()
            return
        await asyncio.gather(pump(reader, there[1]), pump(there[0], writer))

    await asyncio.start_unix_server(connected, sock=listener)
    while os.path.exists(local):
        await asyncio.sleep(0.05)
    os.remove(beside(f"{os.getpid()}.pid"))


def main():
    with open(beside("calls"), "a") as calls:
        calls.write(json.dumps(sys.argv[1:]) + "\n")
    arguments, operation, sockets = sys.argv[1:], None, None
    # rsync writes no `--`.
    while (argument := arguments.pop(0)) != "--":
        if not argument.startswith("-"):
            arguments.insert(0, argument)
            break
        if argument in ("-o", "-O", "-L", "-l", "-p"):
            value = arguments.pop(0)
            if argument == "-O":
                operation = value
            elif argument == "-L":
                sockets = value.split(":", 1)
    if os.path.exists(beside("says")):
        with open(beside("says")) as file:
            code, message = file.read().split("\n", 1)
        stale = code.startswith("stale ")
        if stale and operation == "stop":
            os.remove(beside("says"))
        code = code.replace("stale ", "answers ")
        # `forward` in the place of the code: only that is refused.
        if code != "forward" and not (stale and (operation or "ControlPath=none" in sys.argv)) or operation == "forward":
            # A login node that answers instead of running a command, and not `ssh` itself.
            (sys.stdout if code.startswith("answers ") else sys.stderr).write(message)
            code = code.removeprefix("answers ")
            sys.exit(255 if code == "forward" else int(code))
    if operation == "forward":
        forward(*sockets)
    elif operation == "cancel":
        if os.path.exists(sockets[0]):
            os.remove(sockets[0])
    elif operation is None:
        with open(beside("environment")) as file:
            environment = json.load(file)
        line = " ".join(arguments[1:])
        if not line.startswith("rsync "):
            print("Welcome to the other computer")
            sys.stdout.flush()
        sys.exit(subprocess.call(["sh", "-c", line], env=environment, cwd=environment["HOME"]))


main()
