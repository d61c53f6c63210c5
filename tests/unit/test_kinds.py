"""Every kind of cell has its step, its rule and its row, and nothing has a name that is none of them."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import yaml

from audioprune import registry
from audioprune.cells.kinds import KINDS
from audioprune.fingerprints import fingerprint as fp
from audioprune.fingerprints.imports import module_path

ROOT = Path(__file__).parents[2]
RULES = "\n".join(path.read_text() for path in sorted((ROOT / "workflow" / "rules").glob("*.smk")))
SNAKEFILE = (ROOT / "Snakefile").read_text()
OF_CELLS = dict(re.findall(r"^use rule cell as (\w+) with:\n((?:(?:[ ].*)?\n)+)", RULES + "\n", flags=re.MULTILINE))
NAMES = {
    *re.findall(r"^rule (\w+):", RULES + "\n" + SNAKEFILE, flags=re.MULTILINE),
    *re.findall(r"^use rule \w+ as (\w+) with:", RULES, flags=re.MULTILINE),
}
SUFFIX_ADDED = ("tokens",)  # steps that write several tables in one way
PROFILES = [ROOT / name for name in ("slurm/config.yaml", "local/config.yaml")]


def test_every_kind_has_a_step_and_every_step_but_the_batch_a_kind():
    assert set(registry.names("steps")) == {*KINDS, "batch"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_is_a_function_of_the_kinds_name_that_python_m_calls(kind):
    tree = ast.parse((module_path(f"audioprune.steps.{kind}")).read_text(encoding="utf-8"))
    (step,) = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == kind]
    assert [argument.arg for argument in step.args.args] == ["job"]
    entry = tree.body[-1]
    assert isinstance(entry, ast.If)
    assert ast.unparse(entry.test) == "__name__ == '__main__'"
    assert ast.unparse(entry.body[-1]) == f"main({kind})"


def test_every_kind_has_a_rule_of_its_name_and_every_rule_of_a_cell_a_kind():
    assert set(OF_CELLS) == set(KINDS)
    assert re.findall(r"^use rule cell as (\w+) with:", RULES, flags=re.MULTILINE).count("table") == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_rule_makes_cells_of_its_kind_alone(kind):
    assert f'kind="{kind}",' in OF_CELLS[kind]
    assert OF_CELLS[kind].count("kind=") == 1


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_timed_alone_asks_for_all_cores_and_what_is_drawn_needs_no_torch(kind):
    assert ("threads: cores" in OF_CELLS[kind]) == KINDS[kind].alone
    assert ("plan.yaml" in OF_CELLS[kind]) == KINDS[kind].draws


def test_rules_of_copies_make_the_files_that_the_kinds_name():
    for kind, row in KINDS.items():
        if row.draws:
            files = re.search(rf"rule (?:copy_table as )?copy_{kind}(?: with)?:\n(?:[ ].*\n)+", RULES).group()
            made = re.search(r"multiext\((.*)\)", files).group(1)
            assert made == ", ".join(['"results/{at}{name}"', *(f'".{suffix}"' for suffix in row.files)])


@pytest.mark.parametrize("profile", PROFILES, ids=lambda path: path.parent.name)
def test_profiles_name_only_rules_that_there_are(profile):
    named = set(yaml.safe_load(profile.read_text())["set-resources"])
    assert named
    assert named <= NAMES, f"{profile} sets resources of rules that are gone"


def test_the_cluster_gives_a_gpu_to_every_kind_that_can_need_one():
    given = yaml.safe_load((ROOT / "slurm" / "config.yaml").read_text())["set-resources"]
    assert {kind for kind, row in KINDS.items() if row.gpu} <= {n for n, own in given.items() if "cpus_per_task" in own}
    assert {"batch", "exhibits", *(kind for kind, row in KINDS.items() if row.draws)} <= set(given)


@pytest.mark.parametrize("kind", [kind for kind, row in KINDS.items() if row.frame])
def test_the_main_table_is_among_what_the_step_writes(kind):
    """Its name stands in the code of the step, which is what a cell's fingerprint covers."""
    texts = {
        node.value
        for module in fp.closure((f"audioprune.steps.{kind}",))
        for node in ast.walk(ast.parse(module_path(module).read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    name, _, suffix = KINDS[kind].frame.partition(".")
    assert {name, f".{suffix}"} <= texts if kind in SUFFIX_ADDED else KINDS[kind].frame in texts


@pytest.mark.parametrize("kind", KINDS)
def test_rows_agree_with_themselves(kind):
    row = KINDS[kind]
    assert not (row.draws and row.frame)
    assert not (row.draws and (row.gpu or row.passes))
    assert row.gpu or not row.alone
    assert row.together or not row.at_once
    assert row.clips == "train" if kind == "finetune" else row.clips == "test"
    assert row.settings.__name__ == (
        f"{kind.capitalize()}Settings" if kind not in ("table", "figure") else "ExhibitSettings"
    )
