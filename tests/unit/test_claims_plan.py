"""What the exhibits of claims and forensics depend on: their files and modules, and no cell for what is printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from audioprune import registry
from audioprune.claims.claim import load
from audioprune.planning import plan as planning
from audioprune.planning.plan import Plan

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _here(monkeypatch):
    monkeypatch.chdir(REPOSITORY)


@pytest.mark.parametrize("study", ["paper", "demo"])
def test_every_study_has_both(study):
    plan = Plan(main=False)
    assert ("table", "forensics") in plan.exhibits(study)
    assert ("table", "claims") in plan.exhibits(study)
    assert plan.exhibit_cells(study, "table", "forensics") == ()
    assert {cell.kind for cell in plan.exhibit_cells(study, "table", "claims")} >= {
        "evaluate",
        "finetune",
        "throughput",
    }


def test_a_claim_changes_the_keys_of_claims_and_report_only(monkeypatch):
    def keys() -> dict:
        plan = Plan(main=False)
        names = [("table", "claims"), ("table", "forensics"), ("table", "table1"), ("report", "report")]
        return {name: plan.exhibit_key("demo", kind, name) for kind, name in names}

    before, digests = keys(), planning._file_digests
    edited = lambda folder, pattern: {  # noqa: E731
        name: digest[::-1] if name == "000-6.yaml" else digest for name, digest in digests(folder, pattern).items()
    }
    monkeypatch.setattr(planning, "_file_digests", edited)
    after = keys()
    assert {name for name in before if before[name] != after[name]} == {"claims", "report"}


def test_files_are_those_of_the_folder_where_planning_is_done(tmp_path, monkeypatch):
    """Whatever was planned elsewhere before, by the same process."""
    monkeypatch.chdir(tmp_path)
    assert planning._files_taken(registry.get("tables", "forensics")) == {}
    monkeypatch.chdir(REPOSITORY)
    assert len(planning._files_taken(registry.get("tables", "forensics"))) > 5


def test_keys_take_in_every_claim_predicate_and_check():
    digests = planning._files_taken(registry.get("tables", "claims"))
    assert {f"report/claims/{claim.name}.yaml" for claim in load()} <= set(digests)
    plugins = planning.exhibit_plugins("table", "claims")
    assert {registry.module_name("predicates", name) for name in registry.names("predicates")} <= set(plugins)
    csv = {f"report/published/{p.name}" for p in Path("report/published").glob("*.csv")}
    assert csv <= set(digests)
    assert set(planning._files_taken(registry.get("tables", "forensics"))) == csv
    shown = {"report/published/table1.csv", "report/published/p2.csv"}
    assert set(planning._files_taken(registry.get("tables", "table1"))) == shown
    checks = [registry.module_name("forensics", name) for name in registry.names("forensics")]
    assert planning.exhibit_plugins("table", "forensics")[: len(checks) + 1] == (
        registry.module_name("tables", "forensics"),
        *checks,
    )
