"""`audioprune macs`: the table, the JSON, and messages for what does not exist."""

from __future__ import annotations

import json

import pytest

from audioprune.cli.main import main
from audioprune.profiling.macs import count


def run(capsys, *words: str) -> str:
    assert main(["macs", *words]) == 0
    return capsys.readouterr().out


ESC = ("--backbone", "audiomae-b", "--dataset", "esc50")


def test_table_names_what_remains_and_what_is_saved(capsys):
    text = run(capsys, *ESC, "--keep-rate", "0.5")
    lines = text.splitlines()
    assert lines[0] == "audiomae-b on esc50: 512 frames, 256 patches, 50 classes"
    assert "tokens, extra ones included: 257 -> 129 -> 65 -> 33" in lines
    assert "11.3676 GMAC of 23.1102 GMAC for one clip" in lines
    assert lines[-1] == "remaining: 49.19 % of the unpruned model's MACs; reduction: 50.81 %"
    total = next(line for line in lines if line.startswith("total"))
    assert total.split() == ["total", "11,367,598,672", "100.00", "23,110,241,424", "49.19"]
    rows = lines[lines.index("") + 1 : lines.index("") + 2 + 11]
    assert len({len(line) for line in rows}) == 1
    assert next(line for line in rows if line.startswith("token scores")).split()[2:] == ["448", "0.00", "0", "-"]


def test_json_holds_the_same_and_every_block(capsys):
    found = json.loads(run(capsys, *ESC, "--keep-rate", "0.5", "--json"))
    closed = count("audiomae-b", frames=512, num_classes=50, keep_rate=0.5)
    assert (found["total"], found["items"], found["per_block"]) == (closed.total, closed.items, closed.per_block)
    assert found["unpruned"]["total"] == count("audiomae-b", frames=512, num_classes=50).total
    assert found["pct_remaining"] + found["pct_reduction"] == 100
    assert found["blocks"] == [3, 6, 9]


def test_options_strides_and_blocks_reach_the_count(capsys):
    def total(*words):
        return json.loads(run(capsys, *words, "--json"))["total"]

    ast = ("--backbone", "ast-b", "--dataset", "as20k")
    assert round(total(*ast, "--stride", "10", "--method", "tome", "--option", "r=20") / 1e9, 2) == 115.62
    released = (*ast, "--method", "intensity", "--keep-rate", "0.5", "--option", "variant=as_released")
    assert total(*released) < total(*released[:-2])
    assert total(*ast, "--keep-rate", "0.5", "--blocks", "0") < total(*ast, "--keep-rate", "0.5", "--blocks", "11")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--backbone", "audiomae-c", "--dataset", "esc50"), "did you mean 'audiomae-b'"),
        (("--backbone", "ast-b", "--dataset", "esc5"), "did you mean 'esc50'"),
        ((*ESC, "--method", "top"), "did you mean 'topk'"),
        ((*ESC, "--keep-rate", "1.5"), "keep-rate 1.5 is not in (0, 1]"),
        ((*ESC, "--option", "score"), "not NAME=VALUE"),
        ((*ESC, "--stride", "0"), "must be positive"),
        (("--backbone", "ast-b", "--dataset", "librispeech"), "has no classes"),
    ],
)
def test_errors_are_one_line(capsys, words, message):
    assert main(["macs", *words]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert error.startswith("audioprune: ")
    assert error.count("\n") == 1


def test_a_command_line_that_cannot_be_read_exits_with_2(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["macs", *ESC, "--blocks", "three"])
    assert stop.value.code == 2
    assert "list of numbers such as 3,6,9" in capsys.readouterr().err
