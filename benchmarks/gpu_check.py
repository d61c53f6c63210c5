"""Check and time audioprune on a machine with one GPU, in ten minutes and without a network: see benchmarks/README.md.

python benchmarks/gpu_check.py --out FOLDER [--device cpu] [--quick] [--audio FOLDER] [--only PART ...]

Every part runs in a process of its own with a time limit of its own; each row is on disk as soon as it is measured.
Exit code 1 if any row FAILED.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from benchmarks._parts import rows as tables  # noqa: E402
from benchmarks._parts import wheels  # noqa: E402
from benchmarks._parts.given import Given  # noqa: E402
from benchmarks._parts.parts import PARTS  # noqa: E402

ENDING_S = 3  # for killing a part and going on
RESULTS = ("checks.csv", "speed.csv", "operators.csv", "check.json")


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="folder for the result files")
    parser.add_argument("--device", choices=("cuda", "cpu"), help="cpu: also where there is a GPU")
    parser.add_argument("--quick", action="store_true", help="small models and few clips: two minutes on two cores")
    parser.add_argument("--minutes", type=float, default=10, help="after which nothing runs any more")
    parser.add_argument(
        "--audio", type=Path, help="to fine-tune on: the spoken digits' archive, or a decoded audio cell"
    )
    parser.add_argument("--wheels", type=Path, default=wheels.FOLDER, help="from `make gpu-wheels`")
    parser.add_argument("--only", nargs="+", choices=PARTS, metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--commit", default="", help="of the code, where there is no git")
    for name in ("--part", "--scratch", "--ends"):  # what a part's own process is given
        parser.add_argument(name, help=argparse.SUPPRESS)
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    given = arguments(argv)
    return part(given) if given.part else parent(given)


def parent(given: argparse.Namespace) -> int:
    """Run the parts one after another, and say at the end what became of them."""
    started, out = time.monotonic(), given.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    for name in RESULTS:
        (out / name).unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="gpu-check-") as folder:
        scratch = Path(folder)
        if lacking := wheels.unpack(given.wheels, scratch / "packages"):
            version = f"{sys.version_info.major}.{sys.version_info.minor}"
            print(
                f"this machine lacks {', '.join(lacking)}: run `make gpu-wheels PYTHON={version}` where there is a "
                "network, and bring benchmarks/wheels here",
                file=sys.stderr,
            )
            return 2
        if given.device == "cpu":
            os.environ["CUDA_VISIBLE_DEVICES"] = ""
        paths = [str(scratch / "packages"), str(ROOT / "src"), str(ROOT), os.environ.get("PYTHONPATH", "")]
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
        took: dict[str, float] = {}
        for name in given.only or PARTS:
            limit = min(PARTS[name].seconds, started + 60 * given.minutes - ENDING_S - time.monotonic())
            begun = time.monotonic()
            run_part(name, limit, given, out, scratch)
            took[name] = round(time.monotonic() - begun, 1)
            facts = summary(given, out, scratch, took, started)
            if given.device == "cuda" and "memory_mib" not in facts:
                print("--device cuda, and torch sees no GPU on this machine", file=sys.stderr)
                return 2
    found = Counter(row["verdict"] for row in tables.read(out))
    print(f"{', '.join(f'{n} {verdict}' for verdict, n in found.items())}; {time.monotonic() - started:.0f} s; {out}")
    return int(found[tables.FAILED] > 0)


def run_part(name: str, limit: float, given: argparse.Namespace, out: Path, scratch: Path) -> None:
    """One part in a process group of its own, killed as a whole when its time is over."""
    own = tables.Rows(out, name)
    if limit < 5:
        own.write(name, tables.TIMED_OUT, note=f"not begun: the {given.minutes:g} minutes were over")
        return
    command = [sys.executable, __file__, "--part", name, "--out", str(out), "--scratch", str(scratch)]
    command += ["--ends", str(time.monotonic() + limit), *(["--quick"] if given.quick else [])]
    command += ["--audio", str(given.audio.resolve())] if given.audio else []
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
    try:
        code = process.wait(timeout=limit)
    except subprocess.TimeoutExpired:
        own.write(name, tables.TIMED_OUT, note=f"killed after {limit:.0f} s; rows before this one stand")
    except BaseException:  # Ctrl-C: nothing is left behind
        end(process)
        raise
    else:
        if code:
            own.write(name, tables.FAILED, note=f"its process ended with exit code {code}")
    end(process)


def end(process: subprocess.Popen) -> None:
    """Kill what is left of the process group, that is of the part and of what it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def summary(given: argparse.Namespace, out: Path, scratch: Path, took: dict[str, float], started: float) -> dict:
    """check.json as far as the check has come."""
    from audioprune.cells import provenance

    facts = scratch / "facts.json"
    found = {
        **(json.loads(facts.read_text(encoding="utf-8")) if facts.exists() else {}),
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "code": provenance.git_state() or {"commit": given.commit},
        "command": shlex.join([Path(sys.executable).name, *sys.argv]),
        "quick": given.quick,
        "seconds": took | {"all": round(time.monotonic() - started, 1)},
        "verdicts": Counter(row["verdict"] for row in tables.read(out)),
    }
    temporary = out / ".check.json"
    temporary.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    temporary.replace(out / "check.json")
    return found


def part(given: argparse.Namespace) -> int:
    """What a part's own process does."""
    import importlib
    import logging

    import torch

    logging.getLogger("audioprune").addHandler(logging.NullHandler())
    name, one = given.part, PARTS[given.part]
    scratch = Path(given.scratch or tempfile.mkdtemp(prefix="gpu-check-"))
    ends = float(given.ends or time.monotonic() + one.seconds)
    facts = scratch / "facts.json"
    if not facts.exists():
        facts.write_text(json.dumps(machine(torch)), encoding="utf-8")
    own = tables.Rows(given.out, name)
    module = importlib.import_module(f"benchmarks._parts.{one.module or name}")
    with own.guarded(name):
        module.run(Given(given.out, scratch, given.quick, given.audio, ends), own, *filter(None, [one.argument]))
    return 0


def machine(torch) -> dict:
    """The device and the versions that decide the numbers."""
    from audioprune.cells import provenance

    found = {"device": provenance.device(), "cpu": provenance.cpu_name(), "versions": provenance.versions()}
    found["versions"] |= {"cuda": torch.version.cuda, "cudnn": torch.backends.cudnn.version()}
    if torch.cuda.is_available():
        shape = torch.cuda.get_device_properties(0)
        found |= {"memory_mib": shape.total_memory >> 20, "capability": f"{shape.major}.{shape.minor}"}
    return found


if __name__ == "__main__":
    sys.exit(main())
