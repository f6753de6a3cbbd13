"""Monitoring: drift of traffic and scores, data quality, calibration, and hit rate against the random sample."""

from pipelines.monitor.alarms import Alarm
from pipelines.monitor.monitoring import Evidence, Monitoring, monitor
from pipelines.monitor.thresholds import Thresholds, load_thresholds

__all__ = ["Alarm", "Evidence", "Monitoring", "Thresholds", "load_thresholds", "monitor"]
