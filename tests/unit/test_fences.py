"""The fences of `make lint`: found where they should be, and their lists only shrink."""

import tomllib
from collections import Counter

import pytest

from lint import check, private, typed, unused
from lint.reached import unreached
from tests import REPOSITORY

LINTER = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
LAYERS = next(c for c in LINTER["contracts"] if c["type"] == "layers")


@pytest.fixture
def tree(tmp_path):
    """A function that writes {path below src/audioprune: code} and returns the root."""

    def write(files):
        for path, code in files.items():
            file = tmp_path / "src/audioprune" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(code)
        return tmp_path

    return write


def test_every_package_and_loose_module_stands_in_the_layers_contract():
    inside = (REPOSITORY / "src/audioprune").iterdir()
    there = {p.stem for p in inside if p.suffix == ".py" or (p / "__init__.py").exists()}
    named = [name.strip(" ()") for layer in LAYERS["layers"] for name in layer.replace(":", "|").split("|")]
    assert there - {"__init__"} <= set(named)
    assert len(named) == len(set(named))
    assert LAYERS["exhaustive"]


def test_no_import_goes_up_and_no_private_name_crosses_a_package():
    assert not [c["name"] for c in LINTER["contracts"] if "ignore_imports" in c]
    assert private.violations(REPOSITORY) == []
    assert (REPOSITORY / "lint" / "private.txt").read_text() == ""


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("from audioprune.pruning._base import Pruner, keep", ["pruning._base.Pruner", "pruning._base.keep"]),
        ("from audioprune.pruning import _base", ["pruning._base"]),
        ("from audioprune.results import _read as read", ["results._read"]),
        ("from ..pruning import _base", ["pruning._base"]),
        ("import audioprune.pruning._base", ["pruning._base"]),
        ("def f():\n    from audioprune.results import _read", ["results._read"]),
        ("from audioprune import results\nresults._read()", ["results._read"]),
        ("from audioprune.results import Result\nResult._made.x", ["results.Result._made"]),
        ("import audioprune.results\naudioprune.results._read", ["results._read"]),
        ("from audioprune.tables._rows import named", []),
        ("from audioprune.tables import _rows\n_rows._named()", []),
        ("from . import _rows\nfrom ._rows import _named", []),
        ("from audioprune.results import read\nread.__doc__", []),
        ("from numpy import _core\nself._x = _core._y", []),
    ],
)
def test_a_private_name_is_found_when_it_crosses_a_package(tree, code, names):
    root = tree({"tables/keep_rates.py": code})
    assert private.violations(root) == [f"src/audioprune/tables/keep_rates.py: private: audioprune.{n}" for n in names]


def test_a_loose_module_is_a_package_of_its_own(tree):
    files = {"disk.py": "from audioprune.records import _atomic", "__init__.py": "from audioprune.disk import _full"}
    root = tree(files)
    assert private.violations(root) == [
        "src/audioprune/__init__.py: private: audioprune.disk._full",
        "src/audioprune/disk.py: private: audioprune.records._atomic",
    ]


def test_unused_code_is_found_and_the_workflow_and_the_claims_are_users(tree):
    root = tree({"planning/plan.py": "class Plan:\n    def guard(self): ...\n    def told(self): ...\nPlan()\n"})
    tree({"predicates/costs.py": "def above(): ...\ndef below(): ...\n"})
    (root / "tests").mkdir()
    (root / "tests/test_costs.py").write_text("from audioprune.predicates.costs import below\nbelow()\n")
    (root / "workflow/rules").mkdir(parents=True)
    (root / "workflow/rules/common.smk").write_text("rule a:\n    input: plan.guard()\n")
    (root / "report/claims").mkdir(parents=True)
    (root / "report/claims/C1.yaml").write_text("predicate: costs.above\n")
    assert unused.violations(root) == [
        f"{name}: nothing uses it; delete it, use it, or say in lint/excused.toml why it stays"
        for name in ("planning.plan.told", "predicates.costs.below")
    ]


def test_unreached_code_is_found_by_its_module_and_with_what_only_it_uses(tree):
    """`slope` is used, but another one; `_factors` by unused code alone; `again` by itself."""
    slope = "def slope():\n    _factors()\ndef _factors(): ...\ndef again():\n    again()\nclass Line:\n    slope = 1\n"
    used = (
        "from audioprune.figures._line import slope as drawn\nLINES = [drawn]\ndef main():\n    print(LINES, x.slope)\n"
    )
    root = tree(
        {"statistics/slope.py": slope, "figures/_line.py": "def slope(): ...\n", "cli/main.py": used + "main()\n"}
    )
    assert unreached(root, ()) == {f"statistics.slope.{name}" for name in ("slope", "_factors", "again", "Line")}
    assert unreached(root, (), kept=["statistics.slope.slope"]) == {"statistics.slope.again", "statistics.slope.Line"}
    assert unreached(root, {"again", "slope", "Line"}) == set()


def test_what_is_handed_on_found_by_name_or_imported_from_elsewhere_is_reached(tree):
    files = {
        "tables/keep_rates.py": "def needs(): ...\ndef build(): ...\ndef rows(): ...\n",
        "tables/_rows.py": "def build(): ...\n",
        "generators/_kinds.py": "from audioprune.generators import _events\nDOG = getattr(_events, 'dog')\nprint(DOG)",
        "generators/_events.py": "def dog(): ...\ndef cat(): ...\n",
        "planning/plan.py": "from audioprune import registry\nregistry.get('table1').build().needs",
        "registry.py": "from audioprune._found import get\n",
        "_found.py": "def get(): ...\ndef __getattr__(name):\n    return _made()\ndef _made(): ...\n",
    }
    assert unreached(tree(files), ()) == {"tables.keep_rates.rows", "tables._rows.build", "generators._events.cat"}


def test_excuses_have_reasons_and_are_needed(tree):
    root = tree(
        {"statistics/rates.py": "def wer():\n    _rate()\ndef cer(): ...\ndef _rate(): ...\ndef used(): ...\nused()\n"}
    )
    (root / "lint").mkdir()
    excuses = {"wer": "waits", "cer": " ", "used": "so", "gone": "waits"}
    (root / "lint/excused.toml").write_text(
        "".join(f'"statistics.rates.{name}" = "{why}"\n' for name, why in excuses.items())
    )
    assert unused.violations(root) == [
        "statistics.rates.gone: used, or gone; take it off lint/excused.toml",
        "statistics.rates.used: used, or gone; take it off lint/excused.toml",
        "statistics.rates.cer: excused without a reason in lint/excused.toml",
    ]


def test_excuses_are_few():
    assert len(tomllib.loads((REPOSITORY / unused.EXCUSED).read_text(encoding="utf-8"))) < 15


def test_errors_of_mypy_are_read_without_their_lines_and_notes():
    output = (
        'src/a.py:3: error: Name "x" is not defined  [name-defined]\n'
        "src/a.py:4: note: it was, once\n"
        "src/b.py:12: error: Function is missing a type annotation  [no-untyped-def]\n"
    )
    assert typed.lines(output) == [
        'src/a.py: name-defined: Name "x" is not defined',
        "src/b.py: no-untyped-def: Function is missing a type annotation",
    ]


@pytest.fixture
def fence(tmp_path, monkeypatch, capsys):
    """A function that checks one fence: what is listed, what is found -> exit code, what it said, the list.

    Without a list where None is listed.
    """

    def run(listed, found, *options):
        path = tmp_path / "lint/made-up.txt"
        path.parent.mkdir(exist_ok=True)
        if listed is not None:
            path.write_text(listed)
        monkeypatch.setattr(check, "REPOSITORY", tmp_path)
        monkeypatch.setattr(check, "FENCES", {"made-up": lambda root: found.splitlines()})
        code = check.main(["made-up", *options])
        return code, capsys.readouterr().out, path.read_text() if path.exists() else None

    return run


def test_a_list_that_says_what_is_there_passes(fence):
    code, said, _ = fence("2 x a.py: e: b\na.py: e: c\n", "a.py: e: b\na.py: e: c\na.py: e: b")
    assert code == 0
    assert said == "made-up: 3 violations, all listed\n"


def test_a_new_violation_fails_also_one_more_of_a_kind(fence):
    for found in ("a.py: e: b\na.py: e: c", "a.py: e: b\na.py: e: b"):
        code, said, listed = fence("a.py: e: b\n", found, "--write")
        assert code == 1
        assert said.startswith("made-up: new; mend these")
        assert said.splitlines()[1:] == [found.splitlines()[1], ""]
        assert listed == "a.py: e: b\n"


def test_a_vanished_violation_fails_until_its_line_is_removed(fence):
    code, said, listed = fence("3 x a.py: e: b\na.py: e: c\n", "a.py: e: b")
    assert code == 1
    assert "remove these lines from lint/made-up.txt: python -m lint.check made-up --write\n" in said
    assert "\n2 x a.py: e: b\na.py: e: c\n" in said
    code, said, listed = fence(listed, "a.py: e: b", "--write")
    assert (code, listed) == (0, "a.py: e: b\n")


def test_a_list_grows_only_when_told_to(fence):
    code, _, listed = fence("a.py: e: b\n", "c.py: e: b\nc.py: e: b", "--allow-new")
    assert (code, listed) == (0, "2 x c.py: e: b\n")


def test_a_fence_without_a_list_allows_nothing(fence):
    for option in ((), ("--write",), ("--allow-new",)):
        assert fence(None, "a.py: e: b\n", *option) == (1, "made-up: mend these\na.py: e: b\n\n", None)
    assert fence(None, "") == (0, "made-up: 0 violations, all listed\n", None)


def test_committed_lists_are_in_order():
    paths = list((REPOSITORY / "lint").glob("*.txt"))
    assert {path.stem for path in paths} <= set(check.FENCES) - {"vulture"}
    for path in paths:
        assert path.read_text(encoding="utf-8") == check.shown(Counter(check.read(path)))
