"""A real browser on a real report: Debian's Chromium, driven by Playwright, which downloads none.

The report is that of the made-up study of tests/fakes/studies.py, written to a file and opened as a reader would do.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-quic",
)  # fmt: skip
MISSING = (
    "The report's scripts are tested in a real browser, and there is none here. Install Chromium and Java, on Debian: "
    "apt-get install chromium default-jre-headless"
)


def program(*names: str) -> str:
    """The first of these programs that is installed; the test fails, and says what to install, where none is."""
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.fail(f"{MISSING} ({' or '.join(names)} is missing)", pytrace=False)
    return found


@pytest.fixture(scope="session")
def browser():
    from playwright.sync_api import sync_playwright

    executable = program(*CHROMIUM)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=executable, args=[*FLAGS])
        yield started
        started.close()


@pytest.fixture(scope="session")
def report(tmp_path_factory) -> Path:
    """The file of a report with models of two families, sound, a dataset that may not be heard, and hostile names."""
    from audioprune.reporting import glossary, html
    from audioprune.settings.exhibits import Credit
    from tests.fakes.studies import ABOUT, collected, shared

    shown = [("table", name) for name in ("table1", "evaluations", "claims", "forensics", "competence", "data")]
    shown += [("figure", name) for name in ("diagonal", "cost-forest", "accuracy-macs", "figure2")]
    may = {name: Credit(dataset=name, text="Its makers, CC0") for name in ("fsdd-digits", "esc10")}
    path = tmp_path_factory.mktemp("report") / "report.html"
    terms = glossary.parse((ROOT / "docs" / "glossary.md").read_text(encoding="utf-8"))
    found = collected(shared(), shown, credits=may, terms=terms, **ABOUT)
    path.write_text(html.render(found, ROOT / "report"), encoding="utf-8")
    return path


@pytest.fixture
def open_page(browser, report):
    """A function that opens the report in a window of its own; after the test no script may have failed."""
    contexts, failed, asked = [], [], []

    def opened(at: str = "", **how):
        context = browser.new_context(viewport=how.pop("viewport", {"width": 1280, "height": 900}), **how)
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: failed.append(str(error)))
        page.on("console", lambda message: failed.append(message.text) if message.type == "error" else None)
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{report.as_uri()}{at}")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert failed == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
