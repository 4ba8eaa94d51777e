#!/usr/bin/env python3
"""Runs a workflow on a running daemon and prints its events: fanlight.py SOCKET poster.yaml seed=7"""
import base64, json, os, socket, struct, sys, uuid

def connect(path):
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(path)
    key = base64.b64encode(os.urandom(16)).decode()
    sock.sendall(("GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                  f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n").encode())
    stream = sock.makefile("rb")
    while stream.readline() not in (b"\r\n", b""):
        pass
    return sock, stream

def send(sock, method, **params):
    text = json.dumps({"jsonrpc": "2.0", "id": method, "method": method, "params": params}).encode()
    size, mask = len(text), os.urandom(4)
    head = bytes([0x81, 0x80 | size]) if size < 126 else b"\x81\xfe" + struct.pack(">H", size) if size < 65536 \
        else b"\x81\xff" + struct.pack(">Q", size)
    sock.sendall(head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(text)))

def receive(stream):
    while head := stream.read(2):
        size = head[1]
        if size > 125:
            size, = struct.unpack(*((">H", stream.read(2)) if size == 126 else (">Q", stream.read(8))))
        body = stream.read(size)
        if head[0] & 15 == 1:
            yield json.loads(body)

sock, stream = connect(sys.argv[1])
path = os.path.realpath(sys.argv[2])
params = {}
for name, text in (argument.split("=", 1) for argument in sys.argv[3:]):
    try:
        params[name] = json.loads(text)
    except ValueError:
        params[name] = text
send(sock, "hello", protocol=1, client="fanlight.py")
send(sock, "runs.start", document=open(path).read(), path=path, sets=[{"params": params}], request_key=str(uuid.uuid4()))
for message in receive(stream):
    if "error" in message:
        sys.exit(message["error"]["message"])
    if message.get("id") == "runs.start":
        send(sock, "watch", telemetry=[{"run_id": message["result"]["runs"][0]["id"]}])
    if message.get("method") == "event":
        event = message["params"]
        print(json.dumps(event), flush=True)
        state = event.get("run", {}).get("state") or (event.get("type") == "run_update" and event["status"])
        if state in ("completed", "failed", "cancelled"):
            sys.exit(0 if state == "completed" else 1)
