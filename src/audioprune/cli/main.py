"""`audioprune`: one module of this folder for each command; each has `register(subparsers)` and `run(arguments)`."""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

from audioprune.errors import UserError


def commands() -> list[str]:
    return sorted(p.stem for p in Path(__file__).parent.glob("[!_]*.py") if p.stem != "main")


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="audioprune", description="A laboratory for token pruning in audio transformers."
    )
    subparsers = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in commands():
        module = importlib.import_module(f"audioprune.cli.{name}")
        module.register(subparsers)
    return top


def main(argv: list[str] | None = None) -> int:
    """Exit codes: 0 good, 1 an error or something is not as it should be, 2 the command line is wrong."""
    arguments = parser().parse_args(argv)
    try:
        return importlib.import_module(f"audioprune.cli.{arguments.command}").run(arguments)
    except UserError as error:
        print(f"audioprune: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        return 1


if __name__ == "__main__":
    sys.exit(main())
