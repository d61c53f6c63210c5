"""MACs in closed form: every reference value to four decimals of a GMAC, and the rules item by item."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audioprune.errors import UserError
from audioprune.profiling.macs import ITEMS, count, patches_of
from audioprune.results import published

KEEP_RATES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3)
SETS = {"spc2": (128, 35), "esc50": (512, 50), "voxceleb1": (1024, 1251), "as20k": (1024, 527)}
GMACS = {
    ("audiomae-b", "spc2"): (5.6130, 4.9348, 4.2977, 3.7202, 3.2663, 2.8111, 2.5184, 2.2263),
    ("audiomae-b", "esc50"): (23.1102, 20.0216, 17.2926, 15.0167, 13.0512, 11.3676, 10.0458, 8.9130),
    ("audiomae-b", "voxceleb1"): (48.5712, 41.7939, 36.0402, 31.2137, 27.1073, 23.6593, 20.8495, 18.5736),
    ("audiomae-b", "as20k"): (48.5706, 41.7934, 36.0396, 31.2132, 27.1068, 23.6587, 20.8489, 18.5730),
    ("ast-b", "spc2"): (5.7005, 5.0219, 4.3846, 3.8069, 3.3528, 2.8974, 2.6046, 2.3123),
    ("ast-b", "esc50"): (23.2050, 20.1152, 17.3851, 15.1083, 13.1420, 11.4578, 10.1354, 9.0021),
    ("ast-b", "as20k"): (48.6751, 41.8955, 36.1397, 31.3114, 27.2035, 23.7541, 20.9432, 18.6664),
}
KEPT = {  # after blocks 3, 6, 9
    64: {0.9: (58, 53, 48), 0.8: (52, 42, 34), 0.7: (45, 32, 23), 0.6: (39, 24, 15), 0.5: (32, 16, 8)},
    256: {0.9: (231, 208, 188), 0.8: (205, 164, 132), 0.7: (180, 126, 89), 0.6: (154, 93, 56), 0.5: (128, 64, 32)},
    512: {0.9: (461, 415, 374), 0.8: (410, 328, 263), 0.7: (359, 252, 177), 0.6: (308, 185, 111), 0.5: (256, 128, 64)},
}
KEPT[64] |= {0.4: (26, 11, 5), 0.3: (20, 6, 2)}
KEPT[256] |= {0.4: (103, 42, 17), 0.3: (77, 24, 8)}
KEPT[512] |= {0.4: (205, 82, 33), 0.3: (154, 47, 15)}


def macs(backbone: str, dataset: str, **more):
    frames, classes = SETS[dataset]
    return count(backbone, frames=frames, num_classes=classes, **more)


@pytest.mark.parametrize(("backbone", "dataset"), GMACS)
def test_reference_values_to_four_decimals(backbone, dataset):
    ours = [round(macs(backbone, dataset, keep_rate=rate).gmacs, 4) for rate in KEEP_RATES]
    assert ours == list(GMACS[backbone, dataset])


def test_totals_that_torchprofile_gave_on_another_implementation():
    for dataset, rate, gmacs in (
        ("spc2", 1.0, 5.613046),
        ("spc2", 0.7, 3.720232),
        ("esc50", 1.0, 23.110241),
        ("esc50", 0.5, 11.367599),
        ("as20k", 1.0, 48.570631),
        ("as20k", 0.7, 31.213155),
        ("as20k", 0.5, 23.658709),
    ):
        assert round(macs("audiomae-b", dataset, keep_rate=rate).gmacs, 6) == gmacs


@pytest.mark.parametrize("patches", KEPT)
def test_kept_tokens_by_exact_arithmetic(patches):
    dataset = {64: "spc2", 256: "esc50", 512: "as20k"}[patches]
    for backbone, prefix in (("audiomae-b", 1), ("ast-b", 2)):
        for rate, kept in KEPT[patches].items():
            blocks = macs(backbone, dataset, keep_rate=rate).per_block
            assert tuple(blocks[b]["tokens_out"] - prefix for b in (3, 6, 9)) == kept


def test_breakdown_of_the_unpruned_model_at_512_patches():
    items = macs("audiomae-b", "as20k").items
    gmacs = {item: round(number / 1e9, 2) for item, number in items.items()}
    assert round((items["qkv"] + items["projection"]) / 1e9, 2) == 14.52
    assert round((items["qk"] + items["av"]) / 1e9, 2) == 4.85
    assert (gmacs["scaling"], gmacs["mlp"], gmacs["patch_embedding"], gmacs["norms"]) == (0.04, 29.05, 0.10, 0.01)
    assert (items["pooling"], items["final_norm"], items["head"]) == (768, 768, 768 * 527)
    assert macs("ast-b", "as20k").items["final_norm"] == 514 * 768 + 768
    assert list(items) == list(ITEMS)


def test_published_table_1_within_rounding_but_for_the_transposed_digits():
    off = []
    for row in published.load("table1").query("metric == 'macs'").itertuples():
        ours = macs(row.backbone, row.dataset, keep_rate=row.keep_rate).gmacs
        if abs(ours - row.value) > 0.02:
            off.append((row.dataset, row.keep_rate, round(ours, 2), row.value))
    assert off == [("voxceleb1", 0.7, 31.21, 31.12), ("as20k", 0.7, 31.21, 31.12)]


def test_second_hand_percentages_are_rounded_gmacs_of_audiomae_that_remain():
    """P2's AST rows: one-decimal GMACs of AudioMAE's P + 1 tokens, divided; the exact AST differs by up to 1.1 pp."""
    exact = {}
    for row in published.load("p2").query("metric == 'macs_remaining' and method == 'topk'").itertuples():
        mae, base = (macs("audiomae-b", row.dataset, keep_rate=rate).gmacs for rate in (row.keep_rate, 1.0))
        assert round(100 * round(mae, 1) / round(base, 1), 1) == row.value
        ast = [macs("ast-b", row.dataset, keep_rate=rate).total for rate in (row.keep_rate, 1.0)]
        exact[row.dataset, row.keep_rate] = round(100 * ast[0] / ast[1], 2)
    assert exact == {
        ("as20k", 0.9): 86.07,
        ("as20k", 0.8): 74.25,
        ("esc50", 0.8): 74.92,
        ("esc50", 0.6): 56.63,
        ("spc2", 0.7): 66.78,
        ("spc2", 0.4): 45.69,
    }


def test_token_merging_at_both_strides():
    base = macs("ast-b", "as20k")
    merged = {r: macs("ast-b", "as20k", method="tome", options={"r": r}) for r in (9, 10, 11, 20)}
    shares = {r: round(100 * one.total / base.total, 2) for r, one in merged.items()}
    assert shares == {9: 88.50, 10: 87.24, 11: 85.98, 20: 74.80}
    wide = macs("ast-b", "as20k", stride=10)
    fast = macs("ast-b", "as20k", stride=10, method="tome", options={"r": 20})
    assert (patches_of(1024, 16, 10), wide.per_block[0]["tokens_in"]) == (1212, 1214)
    assert (round(wide.gmacs, 2), round(fast.gmacs, 2)) == (130.75, 115.62)
    assert round(100 * fast.total / wide.total, 2) == 88.43
    assert merged[20].per_block[-1]["tokens_out"] == 514 - 12 * 20
    assert [row["tokens_out"] for row in macs("audiomae-b", "spc2", method="tome", options={"r": 99}).per_block][
        :3
    ] == [
        33,
        17,
        9,
    ]


def test_merging_by_keep_rate_leaves_as_many_tokens_as_topk():
    for backbone, pooled in (("audiomae-b", 89 * 768), ("ast-b", 0), ("ast-mp-b", 89 * 768)):
        merged, topk = (macs(backbone, "esc50", keep_rate=0.7, method=method) for method in ("tome", "topk"))
        tokens = [[row["tokens_out"] for row in one.per_block] for one in (merged, topk)]
        assert tokens[0] == tokens[1]
        assert merged.items["pooling"] == pooled  # over sizes: a product for each element of the tokens left
        apart = {"score": 256 + 180 + 126, "pooling": topk.items["pooling"] - pooled}
        assert topk.total - merged.total == sum(apart.values())
        unpruned = macs(backbone, "esc50", method="none").items
        assert macs(backbone, "esc50", keep_rate=1.0, method="tome").items == unpruned
        assert macs(backbone, "esc50", method="tome", options={"r": 0}).items == unpruned


def test_only_topk_pays_for_scores():
    topk = macs("audiomae-b", "esc50", keep_rate=0.5)
    assert topk.items["score"] == 256 + 128 + 64
    assert macs("audiomae-b", "esc50", keep_rate=0.5, options={"score": "cls"}).items == topk.items
    for method in ("random", "uniform", "intensity", "variation"):
        other = macs("audiomae-b", "esc50", keep_rate=0.5, method=method)
        assert topk.total - other.total == 256 + 128 + 64
    assert macs("audiomae-b", "esc50", keep_rate=0.5, method="none").items == macs("audiomae-b", "esc50").items


@pytest.mark.parametrize("method", ["intensity", "variation"])
def test_the_released_gather_loses_the_prefix_tokens(method):
    """ceil(.5 x 256) = 128 tokens stay, then ceil(.5 (128 - 2)) = 63, then ceil(.5 (63 - 2)) = 31."""
    released = macs("ast-b", "esc50", keep_rate=0.5, method=method, options={"variant": "as_released"})
    assert [row["tokens_out"] for row in released.per_block if row["block"] in (3, 6, 9)] == [128, 63, 31]
    assert released.items["final_norm"] == 31 * 768 + 768
    fixed = macs("ast-b", "esc50", keep_rate=0.5, method=method)
    assert [row["tokens_out"] for row in fixed.per_block if row["block"] in (3, 6, 9)] == [130, 66, 34]
    assert released.total < fixed.total


def test_other_blocks_widths_and_patches():
    early = macs("audiomae-b", "esc50", keep_rate=0.5, blocks=(0,))
    assert [row["tokens_out"] for row in early.per_block] == [129] * 12
    narrow = count("audiomae-b", frames=128, num_classes=10, width=48, num_heads=4, depth=2, blocks=())
    assert narrow.total == 256 * 64 * 48 + 2 * (12 * 65 * 48**2 + 2 * 65**2 * 48 + 4 * 65**2 + 2 * 65 * 48) + 96 + 480
    assert patches_of(1024, 8, 8) == 128 * 16


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["audiomae-b", "ast-tiny"]),
    st.integers(1, 64).map(lambda n: 16 * n),
    st.floats(0.05, 1),
    st.floats(0.05, 1),
    st.sampled_from(["topk", "uniform", "random"]),
)
def test_fewer_tokens_never_cost_more_and_items_add_up(backbone, frames, one, other, method):
    less, more = (
        count(backbone, frames=frames, num_classes=7, method=method, keep_rate=rate) for rate in sorted((one, other))
    )
    base = count(backbone, frames=frames, num_classes=7)
    assert less.total - less.items["score"] <= more.total - more.items["score"] <= base.total
    assert less.items["score"] <= (3 * frames // 2 if method == "topk" else 0)
    assert less.total == sum(less.items.values())
    for item in ("norms", "qkv", "qk", "scaling", "av", "projection", "score", "mlp"):
        assert less.items[item] == sum(row[item] for row in less.per_block)
    for before, after in zip(less.per_block, less.per_block[1:], strict=False):
        assert before["tokens_out"] == after["tokens_in"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"backbone": "audiomea-b"}, "did you mean 'audiomae-b'"),
        ({"method": "topc"}, "did you mean 'topk'"),
        ({"keep_rate": 0.0}, "keep_rate=0.0 is not in"),
        ({"blocks": (3, 12)}, "rising numbers from 0 to 11"),
        ({"frames": 8}, "8 frames are not cut evenly by patches of 16: take 16"),
        ({"method": "tome", "keep_rate": 0.4}, "keep-rate 0.4 is below 0.5: tome merges at most half"),
        ({"method": "tome", "options": {"r": 1.5}}, "r=1.5 is not a whole number from 0 on"),
    ],
)
def test_wrong_values_are_named(arguments, message):
    known = {"backbone": "audiomae-b", "frames": 128, "num_classes": 2, "keep_rate": 0.5} | arguments
    with pytest.raises(UserError, match=message):
        count(known.pop("backbone"), **known)
