"""The standard policy, which a bundle carries until it is promoted with another."""

from __future__ import annotations

from importlib import resources


def standard_policy() -> str:
    """Read the text of the standard policy, which a bundle carries until it is promoted with another."""
    return (resources.files("pipelines") / "policy.toml").read_text(encoding="utf-8")
