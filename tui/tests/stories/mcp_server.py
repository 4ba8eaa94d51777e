"""A server of tools for tests, in the Model Context Protocol."""
import json
import os
import subprocess
import sys

TOOLS = [
    {
        "name": "add",
        "description": "Adds two numbers.\u001b[2J",
        "inputSchema": {
            "type": "object",
            "properties": {"a": {"type": "number"}, "b": {"type": "number"}},
            "required": ["a", "b"],
        },
    },
    {"name": "do.it", "description": "Does what it is told.", "inputSchema": {"type": "object"}},
]


def say(**message):
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def text(text, **more):
    return {"content": [{"type": "text", "text": text}], **more}


def do(what):
    if what == "fail":
        return text("it is broken", isError=True)
    if what == "environment":
        return text(" ".join(sorted(name for name in os.environ if name.startswith("CLOCK"))))
    if what == "ping":
        # More than the unknown requests that a client must take.
        for number in range(1500):
            say(id=f"ping {number}", method="ping")
            answer = json.loads(sys.stdin.readline())
            if answer != {"jsonrpc": "2.0", "id": f"ping {number}", "result": {}}:
                return text(f"the ping was answered by {answer}", isError=True)
        return text("alive")
    if what == "mutter":
        print("one\u001b[2J\ntwo", file=sys.stderr, flush=True)
        return text("done")
    if what == "long":
        return text("x" * 200_000)
    if what == "die":
        print("last words", file=sys.stderr)
        sys.exit(3)
    if what == "garbage":
        print("this is no message", flush=True)
    if what == "hang":
        child = subprocess.Popen(["sleep", "987"], start_new_session=True)
        with open(sys.argv[1], "w") as file:
            file.write(f"{os.getpid()} {child.pid} ")
        sys.stdin.read()
    return text("done")


for line in sys.stdin:
    message = json.loads(line)
    id, params = message.get("id"), message.get("params")
    method = message["method"]
    if method == "initialize":
        say(method="notifications/message", params={"level": "info", "data": "hello"})
        say(id=id, result={"protocolVersion": params["protocolVersion"], "capabilities": {"tools": {}},
                           "serverInfo": {"name": "clock", "version": "1"}})
    elif method == "tools/list":
        at = int(params.get("cursor", 0))
        page = {"tools": TOOLS[at:at + 1]}
        if at + 1 < len(TOOLS):
            page["nextCursor"] = str(at + 1)
        say(id=id, result=page)
    elif method == "tools/call":
        arguments = params["arguments"]
        if params["name"] == "add":
            say(id=id, result=text(str(arguments["a"] + arguments["b"])))
        else:
            say(id=id, result=do(arguments.get("what")))
    elif id is not None:
        say(id=id, error={"code": -32601, "message": "there is no such method"})

# The end of stdin, before anything is killed.
with open(sys.argv[1] + ".closed", "w") as file:
    file.write("closed")
