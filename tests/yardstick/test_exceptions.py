"""Named exceptions: honoured, counted, named where they are not needed, refused where they are not clear."""

from __future__ import annotations

import pytest
from _made_up import TABLE, edit
from compare import main

EXCEPTIONS = """\
- why: the label says what it ranks by
  exhibit: "*"
  renamed: {method: {topk: topk.cls}, note*: {topk: topk.cls}}
- why: merging is another study's
  exhibit: table*
  dropped: {method: [tome, "random*"], keep_rate: 0.50}
- why: a control
  exhibit: table1
  added: {method: uniform}
- why: rounded
  exhibit: table1
  columns: [accuracy_*]
- why: gone
  exhibit: claims
  whole: true
"""


def test_exceptions_are_honoured_and_counted(runs, compared):
    _, new = runs
    lost = TABLE.splitlines(keepends=True)[4]
    edit(
        new,
        "table1.csv",
        (lost, "ast,uniform,0.5,70.0,69.0,950.0,1.5,\n"),
        (",topk,", ",topk.cls,"),
        ("79.512345", "79.512346"),
    )
    edit(new, "table1.json", ("topk ranks", "topk.cls ranks"))
    edit(new, "figure2.csv", ("topk,", "topk.cls,"))
    edit(new, "figure2.svg", ("topk", "topk.cls"))
    (new / "claims.csv").unlink()
    assert compared(EXCEPTIONS) == (
        0,
        [
            "claims   same (1 row; 1 by exception 5; may differ as a whole: only in OLD)",
            "figure2  same (2 rows; 2 by exception 1; picture not compared: rows that it shows are exceptions)",
            "table1   same (4 rows; 3 by exception 1; 1 by exception 2; 1 by exception 3; 1 by exception 4)",
            "Exceptions:",
            "  1. *, renamed: covers 5 – the label says what it ranks by",
            "  2. table*, dropped: covers 1 – merging is another study's",
            "  3. table1, added: covers 1 – a control",
            "  4. table1, columns: covers 1 – rounded",
            "  5. claims, whole: covers 1 – gone",
            "SAME RESULTS: 3 exhibits, 7 rows; 3 the same (3 of them by exceptions), 0 different, 0 on one side only",
        ],
    )


def test_unused_exceptions_are_named(compared):
    unused = [line for line in compared(EXCEPTIONS)[1] if "unused" in line]
    assert unused == [
        "  2. table*, dropped: WARNING: unused, nothing here needs it – merging is another study's",
        "  3. table1, added: WARNING: unused, nothing here needs it – a control",
        "  4. table1, columns: WARNING: unused, nothing here needs it – rounded",
        "  5. claims, whole: WARNING: unused, nothing here needs it – gone",
    ]


def test_an_exception_covers_its_own_side_only(runs, compared):
    edit(runs[0], "table1.csv", (TABLE.splitlines(keepends=True)[4], ""))
    code, lines = compared("- {why: gone, exhibit: table1, dropped: {method: tome}}")
    assert (code, lines[2]) == (1, "table1   DIFFERS: 1 of 3 rows")


def test_a_label_is_renamed_as_a_whole_word_only(runs, compared):
    edit(runs[0], "table1.json", ("topk ranks", "topk ranks, topk.cls and topk-count do"))
    edit(runs[1], "table1.json", ("topk ranks", "best ranks, topk.cls and topk-count do"))
    assert compared("- {why: name, exhibit: table1, renamed: {note: {topk: best}}}")[0] == 0


def test_a_picture_may_be_an_exception(runs, compared):
    edit(runs[1], "figure2.svg", ("262.8", "262.9"))
    code, lines = compared("- {why: larger, exhibit: 'figure*', columns: [picture]}")
    assert (code, lines[1]) == (0, "figure2  same (2 rows; 1 by exception 1; picture not compared)")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("why: x", "must be a list of exceptions, each with `why:` and `exhibit:`"),
        ("- {exhibit: table1, whole: true}", "entry 1: why: Field required"),
        ("- {why: ' ', exhibit: table1, whole: true}", "entry 1: why: String should match"),
        ("- {why: x, exhibit: table1}", "entry 1: needs exactly one of renamed, dropped, added, columns, whole"),
        ("- {why: x, exhibit: table1, whole: true, columns: [a]}", "and has columns and whole"),
        ("- {why: x, exhibit: table1, wohle: true}", "entry 1: wohle: no such key; there are why, exhibit, renamed"),
        ("- {why: x, exhibit: table1, dropped: {method: no}}", "is False to YAML: write it in quotes"),
        ("- {why: x, exhibit: table1, columns: accuracy}", "entry 1: columns: Input should be a valid list"),
        ("- [", "cannot be read: while parsing"),
    ],
)
def test_wrong_exceptions(runs, tmp_path, capsys, text, said):
    (tmp_path / "wrong.yaml").write_text(text)
    with pytest.raises(SystemExit) as left:
        main([*map(str, runs), "--except", str(tmp_path / "wrong.yaml")])
    assert left.value.code == 2
    assert said in capsys.readouterr().err
