"""What the exhibits of claims and forensics depend on: their files and modules, and no cell for what is printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from audioprune import registry
from audioprune.claims.claim import load
from audioprune.exhibits import named
from audioprune.planning import exhibits
from audioprune.planning.plan import Plan
from tests import REPOSITORY


@pytest.fixture(autouse=True)
def _here(monkeypatch):
    monkeypatch.chdir(REPOSITORY)


@pytest.mark.parametrize("study", ["paper", "demo"])
def test_every_study_has_both(study):
    plan = Plan()
    forensics, claims = plan.exhibit(study, "forensics"), plan.exhibit(study, "claims")
    assert {("table", "forensics"), ("table", "claims")} <= {(c.kind, c.settings.name) for c in plan.shown(study)}
    assert forensics.inputs == {}
    assert {cell.kind for cell in claims.upstream().values()} >= {"evaluate", "finetune", "throughput"}


def test_a_claim_changes_the_keys_of_claims_and_report_only(monkeypatch):
    def keys() -> dict:
        plan = Plan()
        return {name: plan.exhibit("demo", name).key for name in ("claims", "forensics", "table1", "report")}

    before, digests = keys(), exhibits.file_digests
    edited = lambda folder, pattern: {  # noqa: E731
        name: digest[::-1] if name == "000-6.yaml" else digest for name, digest in digests(folder, pattern).items()
    }
    monkeypatch.setattr(exhibits, "file_digests", edited)
    after = keys()
    assert {name for name in before if before[name] != after[name]} == {"claims", "report"}


def test_files_are_those_of_the_folder_where_planning_is_done(tmp_path, monkeypatch):
    """Whatever was planned elsewhere before, by the same process."""
    monkeypatch.chdir(tmp_path)
    assert exhibits.files_taken(named.get("table", "forensics")) == {}
    monkeypatch.chdir(REPOSITORY)
    assert len(exhibits.files_taken(named.get("table", "forensics"))) > 5


def test_keys_take_in_every_claim_predicate_and_check():
    digests = exhibits.files_taken(named.get("table", "claims"))
    assert {f"report/claims/{claim.name}.yaml" for claim in load()} <= set(digests)
    plugins = exhibits.plugins_of("table", "claims")
    assert {registry.module_name("predicates", name) for name in registry.names("predicates")} <= set(plugins)
    csv = {f"report/published/{p.name}" for p in Path("report/published").glob("*.csv")}
    assert csv <= set(digests)
    assert set(exhibits.files_taken(named.get("table", "forensics"))) == csv
    shown = {"report/published/table1.csv", "report/published/p2.csv"}
    assert set(exhibits.files_taken(named.get("table", "table1"))) == shown
    checks = [registry.module_name("forensics", name) for name in registry.names("forensics")]
    assert exhibits.plugins_of("table", "forensics")[: len(checks) + 1] == (
        registry.module_name("tables", "forensics"),
        *checks,
    )


def test_files_of_one_name_in_two_folders_are_both_in_a_key(tmp_path):
    """Such as the checks of two devices."""
    for device in ("a", "b"):
        (tmp_path / device).mkdir()
        (tmp_path / device / "checks.csv").write_text(device)
    found = exhibits.file_digests(tmp_path, "*/*.csv")
    assert sorted(found) == ["a/checks.csv", "b/checks.csv"]
    assert len(set(found.values())) == 2
