"""`audioprune plan` and `--version`: command lines that cannot be worked with, and several targets at once."""

from __future__ import annotations

import json

import pytest

from audioprune import __version__
from audioprune.cli.main import main
from tests import REPOSITORY


@pytest.fixture(autouse=True)
def at_home(monkeypatch):
    monkeypatch.chdir(REPOSITORY)


@pytest.mark.parametrize("speed", ["0", "-3", "nan", "inf", "fast"])
def test_a_speed_that_gives_no_hours_is_a_wrong_command_line(capsys, speed):
    with pytest.raises(SystemExit) as stop:
        main(["plan", "demo", f"--tflops={speed}"])
    assert stop.value.code == 2
    assert f"{speed!r} is not a number above 0, such as 100" in capsys.readouterr().err


def test_hours_fall_with_the_speed(capsys):
    hours = []
    for speed in ("50", "100"):
        assert main(["plan", "results/table1.tex", "--tflops", speed, "--json"]) == 0
        hours.append(sum(job.get("gpu_hours", 0) for job in json.loads(capsys.readouterr().out)["jobs"]))
    assert hours[0] > 0
    assert hours[0] == pytest.approx(2 * hours[1])


def test_several_targets_are_planned_as_one_each_cell_once(capsys):
    def planned(*targets: str) -> list[str]:
        assert main(["plan", *targets, "--json"]) == 0
        return [job["cell"] for job in json.loads(capsys.readouterr().out)["jobs"]]

    both = planned("results/demo/table1.tex", "results/demo/figure2.svg")
    assert set(both) == {*planned("results/demo/table1.tex"), *planned("results/demo/figure2.svg")}
    assert len(both) == len(set(both))


def test_the_version(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out == f"audioprune {__version__}\n"
