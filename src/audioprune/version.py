"""The version of this software, as `audioprune --version` and reports print it."""

__version__ = "0.1.0"
