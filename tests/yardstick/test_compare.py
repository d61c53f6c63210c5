"""Two runs of a study, alike but for one thing: what the comparison says of it."""

from __future__ import annotations

import pytest
from _made_up import TABLE, edit
from compare import main


def test_a_run_is_the_same_as_itself(compared):
    assert compared() == (
        0,
        [
            "claims   same (1 row)",
            "figure2  same (2 rows)",
            "table1   same (4 rows)",
            "SAME RESULTS: 3 exhibits, 7 rows; 3 the same, 0 different, 0 on one side only",
        ],
    )


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("table1.csv", "801.1,1.25", "799.9,1.24"),
        ("table1.csv", "/00112233445566aa", "/ffeeddccbbaa9988"),
        ("table1.csv", "evaluate/ast/topk-kr0.7/", "evaluate/ast-b/topk.cls-kr0.7/last/"),
        ("table1.json", '"right"', '"left"'),
        ("claims.csv", "P0-13,refuted,measured,times (quartiles),1.59", "P0-13,partly,measured,times (quartiles),1.6"),
        ("figure2.svg", "2024-01-01", "2025-01-01"),
        ("figure2.svg", "p7489a16d85", "pffffffffff"),
    ],
    ids=["time", "key", "address", "alignment", "timed claim", "date", "identifier"],
)
def test_what_may_differ(runs, compared, name, old, new):
    edit(runs[1], name, (old, new))
    assert compared()[0] == 0


@pytest.mark.parametrize("said", ["/home/a/work", "commit 0123456789ab", "commit " + "c0ffee1234" * 4])
def test_paths_and_commits_may_differ(runs, compared, said):
    for folder, its in zip(runs, (said, said.translate(str.maketrans("a1", "b2")))):
        edit(folder, "table1.json", ("closed form", its))
    assert compared()[0] == 0


def test_sixteen_digits_are_no_key(runs, compared):
    edit(runs[1], "figure2.csv", ("0.8333333333333334", "0.8333333333333335"))
    assert compared() == (
        1,
        [
            "claims   same (1 row)",
            "figure2  DIFFERS: 1 of 2 rows",
            "    stage=1: ratio 0.8333333333333334 → 0.8333333333333335",
            "table1   same (4 rows)",
            "NOT THE SAME: 3 exhibits, 7 rows; 2 the same, 1 different, 0 on one side only",
        ],
    )


def test_a_digit(runs, compared):
    edit(runs[1], "table1.csv", ("78.125", "78.12500"), ("640.5", "641"))
    code, lines = compared()
    assert (code, lines[2:4]) == (
        1,
        ["table1   DIFFERS: 1 of 4 rows", "    method=topk, keep_rate=0.5: accuracy 78.125 → 78.12500"],
    )


def test_a_time_that_is_gone(runs, compared):
    edit(runs[1], "table1.csv", ("960.2", ""))
    assert compared()[1][3] == "    method=topk, keep_rate=0.5: samples_per_s <measured> → (nothing)"


def test_the_order_of_rows_may_differ_and_a_row_twice_may_not(runs, compared):
    head, *rows = TABLE.splitlines(keepends=True)
    (runs[1] / "table1.csv").write_text(head + "".join(reversed(rows)))
    assert compared()[0] == 0
    (runs[1] / "table1.csv").write_text(head + "".join(rows) + rows[0])
    assert compared()[1][2:4] == [
        "table1   DIFFERS: 1 of 4 rows",
        "    only in NEW: method=none, keep_rate=1.0",
    ]


def test_a_changed_row_is_not_taken_for_a_lost_one(runs, compared):
    edit(runs[1], "table1.csv", (TABLE.splitlines(keepends=True)[3], ""), ("80.500000000001", "80.5"))
    assert compared()[1][2:5] == [
        "table1   DIFFERS: 2 of 4 rows",
        "    method=topk, keep_rate=0.7: accuracy 80.500000000001 → 80.5",
        "    only in OLD: method=topk, keep_rate=0.5",
    ]


def test_rows_that_differ_alike_share_a_line(runs, compared):
    edit(runs[1], "table1.csv", (",topk,", ",top-k,"))
    assert compared()[1][2:4] == [
        "table1   DIFFERS: 2 of 4 rows",
        "    keep_rate=0.7: method topk → top-k (and 1 more row alike)",
    ]


def test_columns_on_one_side(runs, compared):
    edit(runs[1], "figure2.csv", ("ratio", "share"))
    assert compared()[1][1:4] == [
        "figure2  DIFFERS: 2 columns",
        "    column ratio: only in OLD (2 rows filled)",
        "    column share: only in NEW (2 rows filled)",
    ]


def test_texts_of_a_table(runs, compared):
    edit(runs[1], "table1.json", ('"%"', '"points"'), ("100 clips", "99 clips"), ('form."', 'form.", "New."'))
    edit(runs[1], "table1.html", ("What", "That"))
    assert compared()[1][2:7] == [
        "table1   DIFFERS: 4 texts",
        "    caption: “What pruning & merging cost.” → “That pruning & merging cost.”",
        "    column accuracy (value): unit % → points",
        "    heading: “ast on words: 100 clips” → “ast on words: 99 clips”",
        "    only in NEW: note New.",
    ]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("262.8", "262.9", "the same words, other shapes or places (SVG line 1)"),
        ("<!-- topk -->", "<!-- top-k -->", "written only in OLD: 'topk'; written only in NEW: 'top-k'"),
    ],
)
def test_a_picture(runs, compared, old, new, said):
    edit(runs[1], "figure2.svg", (old, new))
    code, lines = compared()
    assert (code, lines[1:3]) == (1, ["figure2  DIFFERS: the picture", f"    picture differs: {said}"])


def test_the_picture_of_times_is_not_compared(runs, compared):
    for folder, time in zip(runs, "12"):
        edit(folder, "figure2.csv", ("ratio", "speed_up"), ("0.25", time))
    edit(runs[1], "figure2.svg", ("262.8", "262.9"))
    code, lines = compared()
    assert (code, lines[1]) == (0, "figure2  same (2 rows; picture not compared: it shows times)")


@pytest.mark.parametrize("side", [0, 1])
def test_an_exhibit_on_one_side(runs, compared, side):
    (runs[1 - side] / "figure2.csv").unlink()
    code, lines = compared()
    assert (code, lines[1]) == (1, f"figure2  ONLY IN {('OLD', 'NEW')[side]}")
    assert lines[-1] == "NOT THE SAME: 3 exhibits, 7 rows; 2 the same, 0 different, 1 on one side only"


def test_many_differences(runs, compared):
    for folder, digit in zip(runs, "12"):
        rows = [f"topk,{stage},{stage}.{digit}\n" for stage in range(20)]
        (folder / "figure2.csv").write_text("method,stage,ratio\n" + "".join(rows) + "none,0,1.0\n" * (digit == "1"))
    lines = compared()[1]
    assert (
        lines[1:3] == ["figure2  DIFFERS: 21 of 21 rows", "    method=topk, stage=0, ratio=0.1: only"][:1] + lines[2:3]
    )
    assert len(lines) == 3 + 10 + 1 + 1
    assert lines[11:13] == [
        "    only in OLD: method=none, stage=0, ratio=1.0",  # another sort of difference is not lost among many
        "    … and 11 more lines: --all shows them",
    ]
    assert len(compared("", "--all")[1]) == 3 + 21 + 1


def test_a_folder_without_exhibits(runs, tmp_path, capsys):
    with pytest.raises(SystemExit) as left:
        main([str(runs[0]), str(tmp_path / "elsewhere")])
    assert left.value.code == 2
    assert "elsewhere holds no exhibit (no .csv)" in capsys.readouterr().err
