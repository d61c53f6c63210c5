"""Wheels that a bare GPU machine lacks: collected from requirements.lock by hash, and unpacked there without a network.

python -m benchmarks._parts.wheels 3.12 [--to benchmarks/wheels]

Standard library and pip only. A machine that has torch, numpy, pandas, timm and safetensors needs LACKING and no more.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "benchmarks" / "wheels"
THERE = ("torch", "numpy", "pandas", "safetensors")
LACKING = {  # distributions of requirements.lock: their modules
    "annotated-types": "annotated_types",
    "pyarrow": "pyarrow",
    "pydantic": "pydantic",
    "pydantic-core": "pydantic_core",
    "pyyaml": "yaml",
    "typing-extensions": "typing_extensions",
    "typing-inspection": "typing_inspection",
}
SPEECH = ("soundfile", "cffi")  # for the digits' archive, where scipy is: it is too large to travel beside pyarrow
LIMIT = 40 * 2**20  # bytes in all
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
# Of pyarrow only what Parquet files need: the rest, two thirds of it, are cloud file systems, an RPC server, headers
# and copies of a library under three names.
LEFT_OUT = re.compile(
    r"pyarrow/((include|tests|src|vendored/docscrape)/|.*(flight|_s3|_gcs|azure|hdfs|orc|gandiva)[^/]*\.so"
    r"|libarrow_python(_parquet_encryption)?\.so(\.\d+\.\d+\.\d+)?$|.*\.(pyx|pxi|pxd)$)"
)


def pinned(names: Iterable[str], lock: str) -> str:
    """The lines of requirements.lock that pin these distributions, hashes included."""
    blocks = dict(re.findall(r"^([A-Za-z0-9._-]+)(==(?:.*\\\n)+.*)$", lock, flags=re.MULTILINE))
    missing = [name for name in names if name not in blocks]
    if missing:
        raise SystemExit(f"requirements.lock does not pin {', '.join(missing)}")
    return "".join(f"{name}{blocks[name]}\n" for name in names)


def collect(python: str, to: Path) -> list[Path]:
    """Download the wheels for a version of Python on 64-bit Linux, each checked against its hash; leave only these."""
    with tempfile.TemporaryDirectory() as scratch:
        wanted = Path(scratch) / "wanted.txt"
        wanted.write_text(
            pinned([*LACKING, *SPEECH], (ROOT / "requirements.lock").read_text(encoding="utf-8")), encoding="utf-8"
        )
        command = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps"]
        command += ["--require-hashes", "--only-binary=:all:", "--implementation=cp", f"--python-version={python}"]
        command += [f"--platform={platform}" for platform in PLATFORMS]
        subprocess.run([*command, "--dest", scratch, "-r", str(wanted)], check=True)
        shutil.rmtree(to, ignore_errors=True)
        to.mkdir(parents=True)
        for wheel in sorted(Path(scratch).glob("*.whl")):
            copy(wheel, to / wheel.name)
    found = sorted(to.glob("*.whl"))
    total = sum(wheel.stat().st_size for wheel in found)
    if total > LIMIT:
        raise SystemExit(f"the wheels in {to} take {total / 2**20:.1f} MiB, more than {LIMIT / 2**20:.0f}")
    print(f"{len(found)} wheels for Python {python} in {to}: {total / 2**20:.1f} MiB")
    return found


def copy(wheel: Path, to: Path) -> None:
    """A wheel without the files that the check has no use for. Its list of files stays, so pip would refuse it."""
    with zipfile.ZipFile(wheel) as whole, zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as cut:
        for item in whole.infolist():
            if not LEFT_OUT.match(item.filename):
                cut.writestr(item, whole.read(item), zipfile.ZIP_DEFLATED, 9)


def unpack(folder: Path, to: Path) -> list[str]:
    """Unpack the wheels in `folder` that fit this Python; returns the modules that the machine still lacks."""
    to.mkdir(parents=True, exist_ok=True)
    found = sorted(folder.glob("*.whl"))
    if all(fits(wheel.stem.split("-")) for wheel in found):  # of another Python none is taken: they belong together
        for wheel in found:
            with zipfile.ZipFile(wheel) as file:
                file.extractall(to)
    sys.path.insert(0, str(to))
    importlib.invalidate_caches()
    return sorted(name for name in (*THERE, *LACKING.values()) if not importlib.util.find_spec(name))


def fits(parts: list[str]) -> bool:
    """Whether a wheel of this name, split at its hyphens, is for this Python."""
    python, abi = parts[-3:-1]
    return abi in ("none", "abi3") or f"cp{sys.version_info.major}{sys.version_info.minor}" in python.split(".")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("python", help="version of Python on the GPU machine, such as 3.12")
    parser.add_argument("--to", type=Path, default=FOLDER)
    given = parser.parse_args()
    if not re.fullmatch(r"3\.\d+", given.python):
        parser.error(f"{given.python!r} is no version of Python such as 3.12: make gpu-wheels PYTHON=3.12")
    collect(given.python, given.to)


if __name__ == "__main__":
    main()
