"""`audioprune`: one module of this folder for each command; each has `register(subparsers)` and `run(arguments)`."""

from __future__ import annotations

import argparse
import sys
from importlib.metadata import version

from audioprune import registry
from audioprune.errors import UserError


def commands() -> list[str]:
    return [name for name in registry.names("cli") if name != "main"]


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="audioprune", description="A laboratory for token pruning in audio transformers."
    )
    top.add_argument("--version", action="version", version=f"audioprune {version('audioprune')}")
    subparsers = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in commands():
        registry.get("cli", name).register(subparsers)
    return top


def main(argv: list[str] | None = None) -> int:
    """Exit codes: 0 success, 1 an error or something missing, 2 a wrong command line."""
    arguments = parser().parse_args(argv)
    try:
        return registry.get("cli", arguments.command).run(arguments)
    except UserError as error:
        print(f"audioprune: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        return 1


if __name__ == "__main__":
    sys.exit(main())
