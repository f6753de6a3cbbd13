"""The version that is installed, for who asks and for what is monitored."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def installed_version() -> str:
    """Give the version of the distribution, where it is installed as one."""
    try:
        return version("tamis")
    except PackageNotFoundError:
        return "(not installed)"
