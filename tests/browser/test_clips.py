"""The clip explorer in a browser: sound that plays, a slider through the stages, switches, what is said."""

from __future__ import annotations

import base64
import json

import pytest
from playwright.sync_api import expect


def held(page) -> dict:
    return json.loads(page.locator("#clips-data").text_content())


def ink(page) -> str:
    """A digest of what the picture shows."""
    page.wait_for_timeout(150)  # a frame or two
    return page.evaluate("document.querySelector('.clips canvas').toDataURL()")


def counted(one: dict, answer: dict, stage: int) -> int:
    held = base64.b64decode(answer["masks"][stage - 1])
    return sum(byte.bit_count() for byte in held)


def test_the_slider_goes_from_the_input_through_all_blocks_and_counts_what_is_kept(open_page):
    page = open_page()
    one = held(page)["clips"][0]
    slider = page.get_by_role("slider")
    told = page.locator(".clips .told")
    expect(told).to_contain_text(f"Input: {one['time'] * one['freq']} patches")
    pictures = [ink(page)]
    slider.focus()
    arm = held(page)["arms"][one["answers"][0]["arm"]]
    for stage, name in enumerate(arm["stages"][1:], start=1):
        page.keyboard.press("ArrowRight")
        expect(told).to_contain_text(name.capitalize())
        kept = counted(one, one["answers"][0], stage)
        expect(told).to_contain_text(f"{kept} of {one['time'] * one['freq']} patches are kept")
        assert slider.get_attribute("aria-valuetext") == name
        pictures.append(ink(page))
    assert len(set(pictures)) == 4


def test_pruned_patches_are_blank_and_kept_ones_are_as_bright_as_before(open_page):
    page = open_page()
    one = held(page)["clips"][0]
    mask = base64.b64decode(one["answers"][0]["masks"][2])
    kept = [bool(mask[i >> 3] >> (7 - i % 8) & 1) for i in range(one["time"] * one["freq"])]
    look = """(middles) => {
        const canvas = document.querySelector('.clips canvas'), box = canvas.getBoundingClientRect();
        const scale = canvas.width / box.width, pen = canvas.getContext('2d');
        return middles.map(([t, f]) => [...pen.getImageData((34 + (box.width - 38) * t) * scale,
            (8 + (box.height - 38) * (1 - f)) * scale, 1, 1).data]);
    }"""
    middles = [
        [(t + 0.5) * one["patch"] / one["frames"], (f + 0.5) * one["patch"] / 128]
        for t in range(one["time"])
        for f in range(one["freq"])
    ]
    ink(page)
    before = page.evaluate(look, middles)
    page.get_by_role("slider").fill("3")
    ink(page)
    after = page.evaluate(look, middles)
    for was, now, stays in zip(before, after, kept, strict=True):
        assert (now == was) == stays
        if not stays:
            assert min(now[:3]) > 200  # paper, with a tenth of the picture


def test_switches_change_the_model_and_the_clip_and_say_what_it_says(open_page):
    page = open_page()
    data = held(page)
    page.locator(".clips").get_by_label("Backbone").select_option("AST-Tiny")
    page.locator(".clips").get_by_label("Keep-rate").select_option("0.5")
    number = next(i for i, clip in enumerate(data["clips"]) if clip["dataset"] == "ESC-10")
    page.get_by_label("Clip", exact=True).select_option(str(number))
    one = data["clips"][number]
    arms = {i: arm for i, arm in enumerate(data["arms"]) if arm["dataset"] == "ESC-10"}
    (at,) = [i for i, arm in arms.items() if (arm["backbone"], arm["keep_rate"]) == ("AST-Tiny", "0.5")]
    (answer,) = [own for own in one["answers"] if own["arm"] == at]
    outcome = page.locator(".clips .outcome")
    for said in (one["label"], answer["said"].replace("\u00a0", " "), "right" if answer["right"] else "wrong"):
        expect(outcome).to_contain_text(said)
    assert outcome.get_by_role("link", name="cell").get_attribute("href") == f"#{data['arms'][at]['anchor']}"
    expect(page.locator(".clips .panel tr[aria-current]")).to_have_count(1)


def test_ground_truth_is_outlined_and_can_be_switched_off(open_page):
    page = open_page()
    number = next(i for i, clip in enumerate(held(page)["clips"]) if clip["signal"])
    page.get_by_label("Clip", exact=True).select_option(str(number))
    outlined = ink(page)
    page.get_by_label("outline the ground truth").uncheck()
    assert ink(page) != outlined
    page.get_by_label("Clip", exact=True).select_option("0")  # spoken digits: nothing is known of where they sound
    expect(page.get_by_label("outline the ground truth")).to_be_hidden()


def test_a_clip_plays(open_page):
    page = open_page()
    audio = page.locator(".clips .panel audio")
    page.evaluate("() => { document.querySelector('.clips .panel audio').muted = true }")
    length = page.evaluate(
        """async () => { const audio = document.querySelector('.clips .panel audio');
        await audio.play(); return audio.duration; }"""
    )
    one = held(page)["clips"][0]
    assert length == pytest.approx(one["seconds"], abs=0.02)
    page.wait_for_function("document.querySelector('.clips .panel audio').currentTime > 0.1")
    assert audio.get_attribute("aria-label") == f"Sound of {one['name']}"


def test_what_may_not_be_heard_has_no_player_and_says_why(open_page):
    page = open_page()
    number = next(i for i, clip in enumerate(held(page)["clips"]) if clip["dataset"] == "birds")
    page.get_by_label("Clip", exact=True).select_option(str(number))
    expect(page.locator(".clips .panel audio")).to_be_hidden()
    expect(page.locator(".clips .panel > .credit")).to_contain_text("Not played")


def test_a_link_opens_its_clip(open_page):
    page = open_page("#clip-10")
    one = held(page)["clips"][9]
    expect(page.get_by_label("Clip", exact=True)).to_have_value("9")
    expect(page.locator(".clips .outcome")).to_contain_text(one["label"])


def test_the_picture_follows_dark_mode(open_page):
    light, dark = open_page(color_scheme="light"), open_page(color_scheme="dark")
    for page in (light, dark):
        page.get_by_role("slider").fill("3")
    corner = "document.querySelector('.clips canvas').getContext('2d').getImageData(60, 20, 1, 1).data[0]"
    assert ink(light) != ink(dark)
    assert light.evaluate(corner) > 128 > dark.evaluate(corner)
    light.emulate_media(color_scheme="dark")
    assert ink(light) == ink(dark)
