"""Replays of days through the real `target()`: what an arm would have found, had it alone chosen what to inspect."""

from pipelines.backtest.contest import entries_of, over_archive, over_worlds, report
from pipelines.backtest.replaying import Plan

__all__ = ["Plan", "entries_of", "over_archive", "over_worlds", "report"]
