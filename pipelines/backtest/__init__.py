"""Backtest: days replayed through the real `target()`, to see what an arm would have found by its own selections."""

from pipelines.backtest.policy_comparison import entries_of, over_archive, over_worlds, report
from pipelines.backtest.replay_days import Plan

__all__ = ["Plan", "entries_of", "over_archive", "over_worlds", "report"]
