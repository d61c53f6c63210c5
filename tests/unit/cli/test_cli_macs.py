"""`audioprune macs`: the table, the JSON, and messages for what does not exist."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from audioprune.cli.main import main
from audioprune.profiling.macs import count
from tests import REPOSITORY


def run(capsys, *words: str) -> str:
    assert main(["macs", *words]) == 0
    return capsys.readouterr().out


ESC = ("--backbone", "audiomae-b", "--dataset", "esc50")


def test_table_names_what_remains_and_what_is_saved(capsys):
    text = run(capsys, *ESC, "--keep-rate", "0.5")
    lines = text.splitlines()
    assert lines[0] == "audiomae-b on esc50: 512 frames, 256 patches, 50 classes"
    assert "tokens, prefix ones included: 257 -> 129 -> 65 -> 33" in lines
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
        ((*ESC, "--keep-rate", "1.5"), "keep_rate=1.5 is not in (0, 1]"),
        ((*ESC, "--option", "score"), "not NAME=VALUE"),
        ((*ESC, "--stride", "0"), "stride=0 is not a positive whole number"),
        (("--backbone", "ast-b", "--dataset", "librispeech"), "has no classes"),
        # what load_model refuses
        ((*ESC, "--option", "foo=bar"), "method 'topk' has no option 'foo'"),
        ((*ESC, "--stride", "40"), "stride=40: patches must fit 128 mel bins and leave no gaps"),
        ((*ESC, "--patch", "15", "--stride", "15"), "128 mel bins are not cut evenly by patches of 15"),
        ((*ESC, "--keep-rate", "0.5", "--blocks", "9,3"), "blocks=(9, 3) must be different, rising numbers"),
        ((*ESC, "--keep-rate", "0.5", "--blocks", "3,3"), "blocks=(3, 3) must be different, rising numbers"),
        ((*ESC, "--frames", "998"), "998 frames are not cut evenly by patches of 16: take 992 or 1008"),
        ((*ESC, "--frames", "1040"), "65 patch columns"),
        ((*ESC, "--num-classes", "-1"), "num_classes=-1 is not a positive whole number"),
        ((*ESC, "--frames", "0"), "frames=0 is not a positive whole number"),
        ((*ESC, "--method", "intensity", "--option", "variant=as_released", "--keep-rate", "0.001"), "too few"),
        ((*ESC, "--method", "tome"), "prunes nothing at keep-rate 1: give --keep-rate below 1, or --option r=20"),
        ((*ESC, "--method", "topk"), "prunes nothing at keep-rate 1: give --keep-rate below 1"),
        (("--backbone", "ast-b"), "give --dataset, or both --frames and --num-classes"),
        (("--backbone", "ast-b", "--frames", "128"), "give --dataset, or both --frames and --num-classes"),
    ],
)
def test_errors_are_one_line(capsys, words, message):
    assert main(["macs", *words]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert error.startswith("audioprune: ")
    assert error.count("\n") == 1


def test_an_input_of_any_length_and_number_of_classes(capsys):
    given = ("--backbone", "audiomae-b", "--frames", "512", "--num-classes", "50")
    found = json.loads(run(capsys, *given, "--keep-rate", "0.5", "--json"))
    assert found["total"] == 11_367_598_672  # of ESC-50
    assert found["dataset"] is None
    longer = json.loads(run(capsys, *ESC, "--frames", "1024", "--json"))
    assert (longer["patches"], longer["num_classes"]) == (512, 50)
    assert run(capsys, *given).startswith("audiomae-b on an input: 512 frames, 256 patches, 50 classes\n")
    speech = ("--backbone", "ast-b", "--dataset", "librispeech", "--frames", "1024", "--num-classes", "2", "--json")
    assert json.loads(run(capsys, *speech))["num_classes"] == 2


@pytest.mark.usefixtures("elsewhere")
def test_a_dataset_of_your_own(capsys):
    own = {"folder": "birds", "csv": "labels.csv", "task": "environmental", "classes": ["a", "b"], "frames": 128}
    data = yaml.safe_load((REPOSITORY / "config.yaml").read_text()) | {"datasets": {"mine": own}}
    Path("config.yaml").write_text(yaml.safe_dump(data))
    found = json.loads(run(capsys, "--backbone", "audiomae-b", "--dataset", "mine", "--json"))
    assert (found["frames"], found["num_classes"], found["patches"]) == (128, 2, 64)
    assert main(["macs", "--backbone", "audiomae-b", "--dataset", "mien"]) == 1
    assert "no dataset named 'mien'; did you mean 'mine'?" in capsys.readouterr().err


def test_a_command_line_that_cannot_be_read_exits_with_2(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["macs", *ESC, "--blocks", "three"])
    assert stop.value.code == 2
    assert "list of numbers such as 3,6,9" in capsys.readouterr().err
