"""Looks at a report as a reader does: `report.py PAGE WORK SHOTS`. Drives Chromium through its driver's protocol (WebDriver)."""

import base64
import json
import pathlib
import subprocess
import sys
import time
import urllib.error
import urllib.request

page, work, shots = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])

# Without the network, and without what the browser itself looks up at its start.
OPTIONS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--host-resolver-rules=MAP * ~NOTFOUND",
    "--autoplay-policy=no-user-gesture-required", f"--user-data-dir={work / 'browser'}",
]

# A phone first: name, width, height.
SCREENS = [("phone", 390, 844), ("desktop", 1440, 900)]


class Browser:
    """A session of a browser."""

    def __init__(self):
        log = open(work / "driver.log", "w+")
        self.driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=log, stderr=log)
        self.address = f"http://127.0.0.1:{port(work / 'driver.log', self.driver)}/session"
        asked = {
            "browserName": "chrome",
            "goog:chromeOptions": {"args": OPTIONS},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }
        self.address += "/" + self.ask("POST", "", {"capabilities": {"alwaysMatch": asked}})["sessionId"]

    def ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return json.load(response)["value"]
        except urllib.error.HTTPError as error:
            sys.exit(f"{path}: {error.read().decode()}")

    def size(self, width, height):
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.ask("POST", "/goog/cdp/execute", {"cmd": "Emulation.setDeviceMetricsOverride", "params": metrics})

    def run(self, script, *arguments):
        return self.ask("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def wait(self, what, script):
        """Waits until an expression of the page is true."""
        end = time.monotonic() + 180
        while not self.run(f"return Boolean({script})"):
            if time.monotonic() > end:
                sys.exit(f"{what}: never true: {script}\n{self.run('return document.body.innerText')}")
            time.sleep(0.05)
        print(f"ok: {what}")

    def click(self, selector):
        element = self.ask("POST", "/element", {"using": "css selector", "value": selector})
        self.ask("POST", f"/element/{next(iter(element.values()))}/click", {})

    def picture(self, path):
        path.write_bytes(base64.b64decode(self.ask("GET", "/screenshot")))

    def log(self, kind):
        return self.ask("POST", "/se/log", {"type": kind})

    def close(self):
        self.ask("DELETE", "")
        self.driver.terminate()
        self.driver.wait()


def port(log, driver):
    """Waits for the port that the driver chose."""
    end = time.monotonic() + 180
    while True:
        for line in log.read_text().splitlines():
            if "started successfully on port" in line:
                return int(line.rstrip(".").rsplit(" ", 1)[1])
        if driver.poll() is not None:
            sys.exit(f"chromedriver ended:\n{log.read_text()}")
        if time.monotonic() > end:
            sys.exit(f"chromedriver does not start:\n{log.read_text()}")
        time.sleep(0.05)


def look(browser, name, width, height):
    browser.size(width, height)
    browser.ask("POST", "/url", {"url": page.as_uri()})
    browser.wait(
        f"{name}: as wide as the screen",
        f"innerWidth === {width} && document.documentElement.scrollWidth <= innerWidth",
    )
    # Pictures below the fold are loaded when they come near.
    browser.run("for (const picture of document.images) picture.loading = 'eager'")
    browser.wait(
        f"{name}: every picture is shown, within its card",
        "[...document.querySelectorAll('article img')].length === 3 && [...document.querySelectorAll('article img')].every(it =>"
        " it.complete && it.naturalWidth === 1600 && it.clientWidth > 100"
        " && it.getBoundingClientRect().right <= it.closest('article').getBoundingClientRect().right)",
    )
    columns = browser.run("return getComputedStyle(document.querySelector('.grid')).gridTemplateColumns.split(' ').length")
    assert (columns == 1) == (width < 600), f"{name}: {columns} columns"
    browser.wait(
        f"{name}: no text of a run is markup",
        "document.querySelector('article').textContent.includes('<img src=x')",
    )

    browser.run("for (const sound of document.querySelectorAll('audio')) { sound.muted = true; sound.play() }")
    browser.wait(
        f"{name}: every sound plays to its end",
        "[...document.querySelectorAll('audio')].length === 3 && [...document.querySelectorAll('audio')].every(it =>"
        " it.ended && Math.abs(it.duration - 0.5) < 0.01)",
    )
    browser.wait(
        f"{name}: curves are drawn",
        "[...document.querySelectorAll('#curves svg path[d]')].filter(it => it.getTotalLength() > 20).length >= 3",
    )

    browser.click("article a.zoom")
    browser.wait(f"{name}: a picture opens", "viewer.open && viewer.querySelector('img').clientWidth >= innerWidth - 1")
    browser.click("#viewer img")
    browser.wait(f"{name}: in its own pixels", "viewer.querySelector('img').clientWidth === 1600")
    browser.run("viewer.scrollTo(200, 100)")
    browser.wait(f"{name}: it can be scrolled", "viewer.scrollLeft > 0 || innerWidth >= 1600")
    browser.click("#viewer button")
    browser.wait(f"{name}: and closes", "!viewer.open")

    rates = "[...document.querySelector('#table tbody').rows].map(it => parseFloat([...it.cells][at].textContent)).join(' ')"
    at = "const at = [...document.querySelectorAll('#table th')].findIndex(it => it.textContent === 'rate');"
    browser.run(at + "document.querySelectorAll('#table th')[at].click()")
    ascending = browser.run(f"{at} return {rates}")
    browser.run(at + "document.querySelectorAll('#table th')[at].click()")
    descending = browser.run(f"{at} return {rates}")
    assert (ascending, descending) == ("0.1 0.2 0.3", "0.3 0.2 0.1"), (ascending, descending)
    print(f"ok: {name}: a heading sorts")

    shots.mkdir(parents=True, exist_ok=True)
    browser.run("scrollTo(0, 0)")
    browser.picture(shots / f"report-{name}.png")


browser = Browser()
try:
    for screen in SCREENS:
        look(browser, *screen)
    complaints = [entry["message"] for entry in browser.log("browser")]
    assert not complaints, "\n".join(complaints)
    sent = [json.loads(entry["message"])["message"] for entry in browser.log("performance")]
    # The browser's first tab loads pages of its own.
    addresses = {
        event["params"]["request"]["url"]
        for event in sent
        if event["method"] == "Network.requestWillBeSent" and event["params"]["documentURL"].startswith(page.as_uri())
    }
    elsewhere = [address for address in addresses if not address.startswith((page.parent.as_uri(), "data:"))]
    assert addresses and not elsewhere, elsewhere
    print("ok: nothing is loaded from elsewhere, and nothing is complained of")
finally:
    browser.close()
