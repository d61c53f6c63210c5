"""The table model: what is shown, what lies in the CSV, and the escaping of each form."""

from __future__ import annotations

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audioprune.exhibits import display, escape, forms, latex
from audioprune.exhibits.table import Cell, Column, Row, Table
from audioprune.tables._rows import KEEP_RATE, change
from audioprune.wording import number

HOSTILE = ("<b>&\"'</b>", r"\input{x} $y$ #1 50% a_b ^~|", '#eval("1") [x] *y*', "tab\tnew\nline\x00\u202e")
COLUMNS = (
    Column("name", "Name", align="left"),
    Column("accuracy", "Ours", "%"),
    Column("accuracy", "95 % interval", part="interval"),
    Column("accuracy", "Published", part="published"),
    Column("accuracy", "Difference", "points", part="difference"),
)


def table(*cells: Cell, **kwargs) -> Table:
    return Table(COLUMNS, tuple(Row({"name": f"row {i}", "accuracy": c}) for i, c in enumerate(cells)), **kwargs)


def shown(t: Table) -> list[list[str]]:
    return [[e.text + e.marks for e in row] for _, rows in t.layout().groups for row in rows]


@pytest.mark.parametrize(
    ("value", "decimals", "signed", "text"),
    [
        (93.4, 2, False, "93.40"),
        (-0.004, 2, True, "0.00"),
        (-1.005, 1, False, "−1.0"),
        (2.5, 1, True, "+2.5"),
        (2625.4, 0, False, "2625"),
        (0.0, 2, True, "0.00"),
    ],
)
def test_number(value, decimals, signed, text):
    assert number(value, decimals, signed) == text


@pytest.mark.parametrize(
    ("p", "text"),
    [(0.0, "< 0.001"), (0.00099, "< 0.001"), (0.001, "0.001"), (0.0447, "0.045"), (0.2129, "0.21"), (1.0, "1")],
)
def test_a_p_value_has_two_digits_and_is_never_zero(p, text):
    assert shown(Table((Column("p", "p", p=True),), (Row({"p": p}),))) == [[text]]


def test_a_count_has_no_decimals_whatever_its_column_has():
    columns = (Column("n", "Conditions"), Column("share", "Share", "%", scale=100))
    assert shown(Table(columns, (Row({"n": 8, "share": 1}), Row({"n": 8.0, "share": 0.5})))) == [
        ["8", "100.00"],
        ["8.00", "50.00"],
    ]


def test_a_keep_rate_is_shown_as_it_was_set():
    rows = tuple(Row({"keep_rate": rate}) for rate in (1.0, 0.7, 0.25, 0.125))
    assert shown(Table((KEEP_RATE,), rows)) == [["1.0"], ["0.7"], ["0.25"], ["0.125"]]


def test_a_table_of_many_rows_scrolls_within_itself_and_one_of_many_columns_is_set_smaller():
    columns = tuple(Column(f"y{i}", "Y") for i in range(forms.WIDE))
    for rows, wide, kind in ((1, 1, ""), (forms.TALL, 1, "tall"), (1, forms.WIDE, "wide"), (99, 99, "wide tall")):
        made = Table(columns[:wide], (Row({f"y{i}": 0.5 for i in range(forms.WIDE)}),) * rows)
        assert re.findall(r'<table(?: class="([^"]*)")? ', forms.html(made)) == [kind]


def test_all_parts_of_a_cell():
    assert shown(table(Cell(93.4, 91.25, 95.5, published=94.0, source="P0", mark="†"))) == [
        ["row 0", "93.4 [91.2, 95.5]", "94.00†", "−0.60"]
    ]


def test_a_value_and_its_interval_share_a_column_and_wide_intervals_take_the_second_decimal():
    """An interval of 0.98 points leaves two decimals, one of 1.0 takes one; quartiles are called so."""
    for high, text in ((1.98, "1.50 [1.00, 1.98]"), (2.0, "1.5 [1.0, 2.0]")):
        columns = (Column("x", "Change"), Column("x", "95 % interval", part="interval"))
        layout = Table(columns, (Row({"x": Cell(1.5, 1.0, high)}), Row({"x": Cell(why="lost")}))).layout()
        assert [entry.text for _, rows in layout.groups for row in rows for entry in row] == [text, "not run"]
        assert [c.lines for c in layout.columns] == [("Change", "[95 %]")]
    timed = (Column("x", "Clips/s", decimals=0), Column("x", "quartiles", part="interval", decimals=0))
    layout = Table(timed, (Row({"x": Cell(720.4, 700.1, 740.2)}),)).layout()
    assert layout.groups[0][1][0][0].text == "720 [700, 740]"
    assert layout.columns[0].lines == ("Clips/s", "[quartiles]")


def test_a_loss_is_shown_as_a_change_and_held_as_a_loss():
    """A drop of 2 points, from 1 to 3, is a change of -2, from -3 to -1."""
    table = Table(change("drop"), (Row({"drop": Cell(2.0, 1.0, 3.0, only_first=12, only_second=2)}),))
    (row,) = table.layout().groups[0][1]
    assert [entry.text for entry in row] == ["−2.0 [−3.0, −1.0]", "12/2"]
    assert table.csv().splitlines()[1] == "2.0,1.0,3.0,12,2"


def test_columns_that_nobody_fills_are_left_out():
    assert [c.header for c in table(Cell(1.0)).layout().columns] == ["Name", "Ours"]


def test_not_run_says_why_once_for_each_reason():
    t = table(Cell(why="no data"), Cell(why="no weights"), Cell(why="no data"), Cell(1.0, note="1 of 2 runs"))
    assert [row[1] for row in shown(t)] == ["not runa", "not runb", "not runa", "1.00c"]
    assert t.layout().footnotes == (("a", "not run: no data"), ("b", "not run: no weights"), ("c", "1 of 2 runs"))
    assert len(t.not_run()) == 3


def test_letters_go_on_after_z():
    t = table(*(Cell(why=f"reason {i}") for i in range(28)))
    assert [mark for mark, _ in t.layout().footnotes][24:] == ["y", "z", "aa", "ab"]


def test_marks_are_explained_only_where_used():
    marks = {"†": "withdrawn", "‡": "second-hand"}
    t = table(Cell(1.0, published=2.0, mark="‡"), marks=marks)
    assert t.layout().footnotes == (("‡", "second-hand"),)


def test_clips_that_decide_a_difference_stand_beside_it_and_few_are_marked():
    """Three lost and one gained are few; nine and one are not. Clear is what Holm leaves at 5 % or less."""
    columns = (Column("x", "Drop"), Column("x", "b/c", part="changed"))
    few, many = (
        Cell(2.0, only_first=3, only_second=1, p=0.3, p_holm=0.6),
        Cell(8.0, only_first=9, only_second=1, p_holm=0.05),
    )
    found = Table(columns, tuple(Row({"x": one}) for one in (few, many, Cell(1.0))))
    ((_, entries),) = found.layout().groups
    assert [(value.text, value.marks, own.text, own.marks) for value, own in entries] == [
        ("2.00", "", "3/1", "§"),
        ("8.00", "*", "9/1", ""),
        ("1.00", "", "–", ""),
    ]
    assert [mark for mark, text in found.layout().footnotes if text] == ["§", "*"]
    assert found.csv().splitlines() == [
        "x,x_only_first,x_only_second,x_p,x_p_holm", "2.0,3,1,0.3,0.6", "8.0,9,1,,0.05", "1.0,,,,",
    ]  # fmt: skip
    assert len(Table(columns, (Row({"x": Cell(1.0)}),)).layout().columns) == 1


def test_csv_holds_every_digit_and_every_part():
    third = 100 / 3
    text = table(Cell(third, 30.0, 40.0, published=33.0, source="P0", mark="†"), Cell(why="no data")).csv()
    first, second = csv.DictReader(io.StringIO(text))
    assert float(first["accuracy"]) == third
    assert float(first["accuracy_difference"]) == third - 33.0
    assert (first["accuracy_low"], first["accuracy_high"], first["accuracy_source"]) == ("30.0", "40.0", "P0")
    assert second == {**dict.fromkeys(second, ""), "name": "row 1", "accuracy_why": "no data"}


def test_scale_is_for_the_eye_only():
    t = Table((Column("gmacs", "MACs", "M", scale=1000),), (Row({"gmacs": 0.02176}),))
    assert shown(t) == [["21.76"]]
    assert t.csv() == "gmacs\n0.02176\n"


@given(st.text(max_size=30))
def test_html_of_any_text_has_no_tag_of_its_own(text):
    html = forms.html(Table((Column("x", text),), (Row({"x": text}, group=text),), notes=(text,)))
    bare = re.sub(
        r'</?(div|table|thead|tbody|t[rhd]|span|ul|li|sup|br|details|summary)( style="[^"<>]*"| [a-z]+="[a-z0-9 ]*")*>',
        "",
        html,
    )
    assert "<" not in bare
    assert ">" not in bare


@given(st.text(max_size=30))
def test_latex_of_any_text_is_ascii_with_balanced_braces(text):
    escaped = escape.latex(text)
    assert escaped.isascii()
    plain = re.sub(r"\\[\\{}$&#%_]", "", escaped)
    assert plain.count("{") == plain.count("}")
    assert not re.search(r"(?<!\\)[&#%_]", re.sub(r"\$R_[bs]\$", "", escaped))  # a formula has an index
    assert plain.replace("$-$", "").replace("^\\circ", "").count("$") % 2 == 0


@given(st.text(max_size=30))
def test_typst_string_is_one_literal(text):
    literal = escape.typst(text)
    assert re.fullmatch(r'"(?:[^"\\]|\\["\\])*"', literal)
    assert re.sub(r'\\(["\\])', r"\1", literal[1:-1]) == escape.clean(text)


def test_latex_of_known_characters():
    assert escape.latex("a_b & 50% −1 × é – --x [1]") == (r"a\_b \& 50\% $-$1 $\times$ \'{e} -- -{}-x {[}1{]}")
    assert escape.latex("日\\") == r"{[}U+65E5{]}\textbackslash{}"
    assert escape.latex("Γ, τ, γ and Ω ‡") == r"$\Gamma$, $\tau$, $\gamma$ and $\Omega$ $\ddagger$"
    assert escape.latex("Γ(R_s) τ* − t B − K / N") == r"$\Gamma(R_s)$ $\tau^*-t$ $B-K/N$"
    assert escape.latex("R_set") == r"R\_set"


def test_clean_drops_what_changes_direction_or_controls():
    assert escape.clean("a\u202eb\x00c\n d") == "abc d"
    assert escape.clean("95 % of %") == "95\u00a0% of %"
    assert escape.latex("95 %") == r"95~\%"


def test_latex_rows_may_start_with_a_bracket():
    t = Table((Column("x", "X"), Column("y", "Y")), (Row({"x": "[a]", "y": "[b]"}),))
    assert r"{[}a{]} & [b] \\" in latex.render(t, name="t", title="T", caption="")


def test_long_tables_continue_under_one_number_with_all_rows_once():
    rows = tuple(Row({"x": f"v{i}"}, group=f"g{i // 30}") for i in range(120))
    text = latex.render(Table((Column("x", "X"),), rows, notes=("the note",)), name="long", title="Long", caption="C")
    assert text.count(r"\begin{table}") == text.count(r"\end{table}") == 3
    assert re.findall(r"^v\d+", text, re.M) == [f"v{i}" for i in range(120)]
    assert (text.count("the note"), text.count(r"\label{tab:long}")) == (1, 1)
    assert text.count(r"\ContinuedFloat") == text.count("(continued)") == 2


def test_notes_are_never_alone_on_a_page():
    rows = tuple(Row({"x": f"v{i}"}, group=f"g{i // 10}") for i in range(40))
    notes = tuple("word " * 120 for _ in range(3))
    text = latex.render(Table((Column("x", "X"),), rows, notes=notes), name="long", title="Long", caption="C")
    pages = text.split(r"\begin{table}")[1:]
    assert len(pages) == 2
    assert all(re.search(r"^v\d+", page, re.M) for page in pages)
    assert re.findall(r"^v\d+", text, re.M) == [f"v{i}" for i in range(40)]


def test_wide_texts_are_broken_then_the_table_stands_sideways():
    columns = (Column("x", "X", align="left"), *(Column(f"y{i}", f"Y{i}") for i in range(16)))
    numbers = {f"y{i}": 1234.5 for i in range(16)}

    def made(text: str, count: int) -> str:
        row = Row({"x": text, **{key: numbers[key] for key in [*numbers][:count]}})
        return latex.render(Table(columns[: count + 1], (row,)), name="t", title="T", caption="")

    assert (r"\begin{table}" in made("short", 3), r"\arraybackslash}p{" in made("short", 3)) == (True, False)
    assert (r"\begin{table}" in made("long " * 40, 3), r"\arraybackslash}p{" in made("long " * 40, 3)) == (True, True)
    assert r"\begin{sidewaystable}" in made("short", 12)


def test_what_no_page_holds_is_shared_out_over_parts_with_the_first_columns_in_each():
    columns = (Column("x", "X", align="left"), *(Column(f"y{i}", f"Y{i}") for i in range(40)))
    row = {"x": "the row", **{f"y{i}": 1000.25 + i for i in range(40)}}
    text = latex.render(Table(columns, (Row(row), Row(row))), name="t", title="T", caption="")
    assert len(re.findall(r"\\begin\{(?:sideways)?table\}", text)) == 3
    assert text.count("the row") == 6
    assert [text.count(f"{1000.25 + i:.2f}") for i in range(40)] == [2] * 40


def test_a_part_names_its_rows_and_keeps_what_belongs_to_a_quantity_together():
    """Rows that a keep-rate alone tells apart have it in each part; an interval stands on the page of its value."""
    quantities = [
        [Column(f"y{i}", f"{part[:3]} {i}", part=part) for part in ("value", "interval", "changed")] for i in range(9)
    ]
    first = (Column("x", "Method", align="left"), Column("r", "Rate", decimals=1))
    value = Cell(12.25, low=10.5, high=13.75, only_first=100, only_second=200)
    rows = [Row({"x": "random", "r": rate, **{f"y{i}": value for i in range(9)}}) for rate in (0.7, 0.5)]
    table = Table((*first, *(column for own in quantities for column in own)), tuple(rows))
    parts = latex.render(table, name="t", title="T", caption="").split(r"\ContinuedFloat")
    assert len(parts) > 1
    assert [part.count("random & 0.7") for part in parts] == [1] * len(parts)
    shown = [re.findall(r"(?:val|int|cha) (\d)", part) for part in parts]
    assert sorted(i for own in shown for i in own) == [str(i) for i in range(9) for _ in range(3)]
    assert all(own.count(i) == 3 for own in shown for i in own)


@pytest.mark.parametrize("count", [0, 1, 40])
def test_a_table_without_rows_is_still_written(count):
    columns = tuple(Column(f"y{i}", f"A heading of words {i}") for i in range(count))
    text = latex.render(Table(columns, (), notes=("the note",)), name="t", title="T", caption="C")
    assert text.count("the note") == 1
    assert text.count(r"\toprule") >= 1


def test_groups_that_fill_other_columns_stand_apart_where_the_whole_is_too_wide():
    columns = (Column("x", "X", align="left"), *(Column(f"y{i}", f"Y{i}") for i in range(20)))
    rows = [Row({"x": f"row {k}", **{f"y{i}": 1000.25 for i in range(20) if i % 2 == k}}, f"group {k}") for k in (0, 1)]
    text = latex.render(Table(columns, tuple(rows)), name="t", title="T", caption="")
    first, second = text.split(r"\ContinuedFloat")
    assert re.findall(r"Y\d+", first) == [f"Y{i}" for i in range(0, 20, 2)]
    assert re.findall(r"Y\d+", second) == [f"Y{i}" for i in range(1, 20, 2)]
    assert "–" not in text.replace("--", "–").partition("toprule")[2]


def test_a_pasted_table_says_where_it_comes_from():
    text = latex.render(Table((), ()), name="t", title="T", caption="", source="study demo, commit 12\n\\input{x}")
    assert text.splitlines()[0] == r"% study demo, commit 12 \input{x}"


def test_headings_break_into_lines_of_like_length():
    heads = [Column("x", h).lines for h in ("Ours", "Best test epoch", "Samples/s, eager", "Keep-rate")]
    assert heads == [("Ours",), ("Best test", "epoch"), ("Samples/s,", "eager"), ("Keep-rate",)]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stands_in_every_form(text):
    t = Table((Column("x", text),), (Row({"x": text}, group=text),), notes=(text,))
    assert escape.html(display.text(text)) in forms.html(t)
    assert escape.latex(display.text(text)) in latex.render(t, name="t", title=text, caption=text)
    assert escape.typst(display.text(text)) in forms.typst(t)
