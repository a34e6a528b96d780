"""What a test gets: servers and pages that end with it, and a watch for what no page may do."""

import os
import pathlib
import re

from playwright.sync_api import sync_playwright

import records
from server import Server

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
OUTPUT = ROOT / ".build-page"
BROWSER = "/usr/bin/chromium-headless-shell"
# Fonts without hinting and subpixels, one thread that draws: pictures are the same each time.
ARGUMENTS = [
    "--no-sandbox",
    "--font-render-hinting=none",
    "--disable-lcd-text",
    "--disable-gpu",
    "--disable-partial-raster",
    "--disable-low-res-tiling",
    "--disable-skia-runtime-opts",
    "--num-raster-threads=1",
    "--hide-scrollbars",
]
WAIT_MS = 10_000


class Lab:
    """One for the whole run; `finish` ends what a test began."""

    def __init__(self, files=None):
        self.files = pathlib.Path(files) if files else None
        self.playwright = sync_playwright().start()
        self.browser = self.playwright.chromium.launch(executable_path=BROWSER, args=ARGUMENTS)
        self.common, self.servers, self.contexts, self.faults = None, [], [], []

    @property
    def shared(self):
        """A server with the records of records.py. Tests read from it and write nothing."""
        if self.common is None:
            self.common = Server()
            self.common.write("logs", records.text(records.logs()))
            self.common.write("workflows", records.text(records.workflows()))
            self.common.write("audit", records.text(records.audit()))
        return self.common

    def server(self, **options):
        server = Server(**options)
        self.servers.append(server)
        return server

    def context(self, theme="light", width=1280, height=800, zone="UTC", fixed=False, motion="reduce"):
        context = self.browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=theme,
            timezone_id=zone,
            locale="en-GB",
            reduced_motion=motion,
            accept_downloads=True,
        )
        context.set_default_timeout(WAIT_MS)
        self.contexts.append(context)
        if fixed:
            context.clock.set_fixed_time(records.NOW)
        if self.files:
            context.route(re.compile(r"/ui(/|$|\?)"), self.replace)
        return context

    def page(self, server, path="/ui/", context=None, **options):
        page = (context or self.context(**options)).new_page()
        self.watch(page)
        if path is not None:
            page.goto(server.url + path)
        return page

    def watch(self, page):
        page.on("pageerror", lambda error: self.faults.append(f"exception: {error}"))
        page.on("dialog", lambda dialog: (self.faults.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("console", self.heard)

    def heard(self, message):
        # What the network does is the test's matter; the rest the page says is a fault.
        if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource"):
            self.faults.append(f"console: {message.text}")

    def replace(self, route):
        """Files of `self.files` in place of those in the program, under the same header fields."""
        path = route.request.url.split("?")[0].split("/ui", 1)[1]
        if path.startswith("/v1/"):
            return route.fallback()
        answer = route.fetch(max_redirects=0)
        kind = answer.headers.get("content-type", "")
        fields = {
            name: value
            for name, value in answer.headers.items()
            if name not in ("content-encoding", "content-length", "etag")
        }
        if path.startswith("/-/"):
            file = self.files / path.rsplit("/", 1)[1]
            if not file.exists():
                return route.fulfill(status=404)
            kinds = {".js": "text/javascript", ".css": "text/css"}
            fields["content-type"] = kinds.get(file.suffix, kind)
            return route.fulfill(status=200, headers=fields, body=file.read_bytes())
        if not kind.startswith("text/html"):
            return route.fulfill(response=answer)
        assets = re.search(r'src="([^"]*)/app\.js"', answer.text()).group(1)
        text = (self.files / "index.html").read_text().replace("{assets}", assets)
        return route.fulfill(status=answer.status, headers=fields, body=text)

    def finish(self):
        """Ends what the test began; what its pages did that no page may do."""
        for context in self.contexts:
            context.close()
        for server in self.servers:
            server.close()
        faults, self.contexts, self.servers, self.faults = self.faults, [], [], []
        return faults

    def close(self):
        self.finish()
        self.browser.close()
        self.playwright.stop()
        if self.common:
            self.common.close()


def output(name):
    path = OUTPUT / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def updating():
    return os.environ.get("SNAPSHOT_UPDATE") == "1"
