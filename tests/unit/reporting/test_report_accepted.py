from types import SimpleNamespace

from audioprune.fingerprints.accepted import Acceptance, Change
from audioprune.reporting.accepted import sentences

OLD, NEW = "a" * 64, "b" * 64


def result(kind, value, ok=True):
    return SimpleNamespace(kind=kind, ok=ok, record={"code": {"audioprune.training.loop": value}})


def test_the_report_says_what_was_accepted_why_and_how_many_cells_it_keeps():
    results = SimpleNamespace(
        all=lambda: [result("finetune", OLD), result("finetune", OLD), result("finetune", NEW), result("trace", OLD)]
    )
    change = {"audioprune.training.loop": Change(old=OLD, new=NEW)}
    entry = Acceptance(
        kind="finetune", why="same bits.", date="2026-01-02", commit="c" * 40, dirty=True, modules=change
    )
    head, line = sentences(results, [entry])
    assert head.startswith("1 change of code accepted by hand")
    assert line == (
        "finetune: audioprune.training.loop aaaaaaaaaaaa → bbbbbbbbbbbb (2026-01-02, commit cccccccccccc with "
        "uncommitted changes): same bits. 2 of the 3 finetune cells shown here were made before it."
    )
    assert sentences(results, []) == []


def test_a_change_that_no_cell_was_made_before_is_not_told():
    results = SimpleNamespace(all=lambda: [result("finetune", NEW), result("trace", OLD)])
    change = {"audioprune.training.loop": Change(old=OLD, new=NEW)}
    about = {"why": "same bits.", "date": "2026-01-02", "commit": "c" * 40, "dirty": False, "modules": change}
    told = [Acceptance(kind=kind, **about) for kind in ("finetune", "pretrain")]
    assert sentences(results, told) == []
