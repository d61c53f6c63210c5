"""The explorer of results in a browser: filter, sort, details, links that lead to a cell."""

from __future__ import annotations

import json
import re

from playwright.sync_api import expect

ROWS = ".explorer tbody tr:not(.detail)"


def shown(page) -> list[list[str]]:
    """The cells of the rows that are seen."""
    rows = page.locator(f"{ROWS}:visible").all()
    return [[cell.strip() for cell in row.locator("th, td").all_text_contents()] for row in rows]


def held(page) -> list[dict]:
    """What the page holds of each row."""
    data = json.loads(page.locator("#explorer-data").text_content())
    return [dict(zip(data["fields"], row, strict=True)) for row in data["rows"]]


def test_filters_leave_the_rows_that_fit_and_say_how_many(open_page):
    page = open_page()
    rows = held(page)
    expect(page.locator(ROWS)).to_have_count(len(rows))
    page.get_by_label("Backbone").first.select_option(label="AST-Tiny")
    page.get_by_label("Evaluated at").select_option(label="0.5")
    wanted = [one for one in rows if (one["backbone"], one["keep_rate"]) == ("AST-Tiny", "0.5")]
    assert len(shown(page)) == len(wanted) > 1
    assert {(row[0], row[3]) for row in shown(page)} == {("AST-Tiny", "0.5")}
    expect(page.locator(".found")).to_have_text(f"{len(wanted)} of {len(rows)} evaluations")
    page.get_by_role("button", name="Show all").click()
    assert len(shown(page)) == len(rows)


def test_search_finds_words_of_a_row(open_page):
    page = open_page()
    page.get_by_label("Search").fill("digits RANDOM")
    assert {(row[1], row[2]) for row in shown(page)} == {("FSDD Digits", "random")}
    page.get_by_label("Search").fill("nothing like this")
    assert shown(page) == []


def test_a_heading_sorts_up_then_down_then_not_at_all_and_what_is_missing_stands_last(open_page):
    page = open_page()
    before = shown(page)
    head = page.locator(".explorer th[data-sort=delta]")

    def deltas() -> list[float | None]:
        texts = [row[6].split(" ")[0].replace("−", "-") for row in shown(page)]
        return [float(text) if text else None for text in texts]

    for direction in ("ascending", "descending"):
        head.get_by_role("button").click()
        expect(head).to_have_attribute("aria-sort", direction)
        there = [value for value in deltas() if value is not None]
        assert there == sorted(there, reverse=direction == "descending")
        assert deltas()[len(there) :] == [None] * (len(before) - len(there))
    head.get_by_role("button").click()
    assert shown(page) == before


def test_focus_and_hover_say_what_a_row_rests_on_and_escape_hides_it(open_page):
    page = open_page()
    one = next(one for one in held(page) if one["changed"] and one["dataset"] == "FSDD Digits")
    button = page.locator(f"#{one['anchor']} button.open")
    tip = page.get_by_role("tooltip")
    button.focus()
    for said in ("300 test clips, 1 fold, 1 seed", f"{one['changed'][0]} right here only", "95 % interval"):
        expect(tip).to_contain_text(said)
    page.keyboard.press("Escape")
    expect(tip).to_be_hidden()
    page.locator(f"#{one['anchor']} td").nth(2).hover()
    expect(tip).to_be_visible()


def test_a_row_opens_its_cell_by_mouse_and_by_keyboard(open_page):
    page = open_page()
    one = next(one for one in held(page) if one["changed"])
    key = one["cells"][0].removeprefix("cell-")
    button = page.locator(f"#{one['anchor']} button.open")
    button.focus()
    page.keyboard.press("Enter")
    detail = page.locator(f"#{one['anchor']}-detail")
    expect(button).to_have_attribute("aria-expanded", "true")
    for said in (
        key,
        f"results/cells/evaluate/{one['backbone'].lower()}/",
        "snakemake results/cells/",
        ".log",
        '"keep_rate"',
    ):
        expect(detail).to_contain_text(said)
    page.locator(f"#{one['anchor']} td").nth(2).click()
    expect(detail).to_have_count(0)


def test_a_link_leads_to_a_row_even_where_it_was_filtered_out_and_to_a_cell_that_was_folded(open_page):
    page = open_page()
    one = next(one for one in held(page) if one["backbone"] == "AudioMAE-Tiny" and one["changed"])
    page.get_by_label("Backbone").first.select_option(label="AST-Tiny")
    page.evaluate("at => { location.hash = at }", one["anchor"])
    expect(page.locator(f"#{one['anchor']}-detail")).to_be_in_viewport()
    anchor = one["cells"][0]
    assert not page.locator(f"#{anchor}").is_visible()
    page.locator(f"#{one['anchor']}").get_by_role("link", name="cell").click()
    card = page.locator(f"#{anchor}")
    expect(card).to_be_in_viewport()
    expect(card.locator(".command")).to_have_text(
        re.compile(rf"^snakemake .*{anchor.removeprefix('cell-')}/record.json$")
    )


def test_a_page_that_opens_at_a_cell_unfolds_it(open_page):
    anchor = held(open_page())[0]["cells"][0]
    page = open_page(f"#{anchor}")
    expect(page.locator(f"#{anchor}")).to_be_in_viewport()


def test_every_link_inside_the_page_leads_somewhere(open_page):
    page = open_page()
    lost = page.evaluate(
        "[...document.querySelectorAll('a[href^=\"#\"]')].map(a => a.getAttribute('href').slice(1))"
        ".filter(id => !document.getElementById(id))"
    )
    assert lost == []
