"""A plugin for tests: its node does what its input says."""
import json
import os
import subprocess
import sys
import time

requests, responses = os.fdopen(3), os.fdopen(4, "w")

TEXT = {"type": "text", "summary": "A text."}
TYPES = [
    {
        "name": "odd.do",
        "summary": "Does what it is told.",
        "effects": "none",
        "inputs": {
            "does": TEXT,
            "image": {"type": "image", "summary": "A picture.", "optional": True},
            "key": {"type": "text", "summary": "A secret.", "optional": True, "secret": True},
        },
        "outputs": {"text": TEXT, "count": {"type": "int", "summary": "A number."}},
    },
    {
        "name": "odd.file",
        "summary": "Makes a file.",
        "effects": "none",
        "inputs": {"path": TEXT, "image": {"type": "image", "summary": "A picture.", "optional": True}},
        "outputs": {"file": {"type": "file", "summary": "A file."}},
    },
]


def say(**message):
    responses.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    responses.flush()


def result(id, **outputs):
    say(id=id, result={"outputs": outputs})


def file(id, params):
    path, image = params["inputs"]["path"], params["inputs"].get("image")
    os.chdir(params["folder"])
    with open("out.txt", "w") as out:
        out.write(open(image["path"], "rb").read(4)[1:].decode() if image else "made")
    os.symlink("/etc/passwd", "link")
    os.mkfifo("pipe")
    result(id, file={"path": path, "name": "nice.txt"})


def do(id, params):
    global count
    does = params["inputs"]["does"]
    if does == "crash":
        print("first words", file=sys.stderr)
        sys.exit("out of luck")
    elif does == "kill":
        os.abort()
    elif does == "garbage":
        responses.write("this is no message\n")
        responses.flush()
        time.sleep(600)
    elif does == "hang":
        print("hanging", flush=True)
        child = subprocess.Popen(["sleep", "987"], start_new_session=True)
        say(method="log", params={"id": id, "message": f"pids {os.getpid()} {child.pid}"})
        while True:
            time.sleep(600)
    elif does == "flood":
        for number in range(20000):
            say(method="progress", params={"id": id, "value": number / 20000, "message": "x" * 50})
            say(method="unknown", params={"id": id})
        result(id, text="through", count=1)
    elif does == "refuse":
        say(id=id, error={"code": 1, "message": "no\u001b[2J thanks"})
    elif does == "undeclared":
        result(id, text="a", count=1, more=1)
    elif does == "type":
        result(id, text="a", count="many")
    elif does == "missing":
        result(id, text="a")
    elif does == "secret":
        print("the key is", params["inputs"]["key"], flush=True)
        result(id, text=str(len(params["inputs"]["key"])), count=1)
    elif does == "leak":
        result(id, text=params["inputs"]["key"], count=1)
    elif does == "stream":
        for word in ["Once ", "upon ", "a time"]:
            say(method="chunk", params={"id": id, "text": word})
        say(method="output", params={"id": id, "name": "text", "value": "Once upon a time"})
        say(method="output", params={"id": id, "name": "count", "value": 3})
        say(id=id, result={})
    else:
        result(id, text=f"{does} {os.getpid()}", count=count)


count = 0
for line in requests:
    message = json.loads(line)
    id, params = message.get("id"), message.get("params")
    if message["method"] == "hello":
        say(id=id, result={"protocol": 1, "name": "odd"})
    elif message["method"] == "describe":
        say(id=id, result={"node_types": TYPES})
    elif message["method"] == "execute":
        count += 1
        (file if params["type"] == "odd.file" else do)(id, params)
