"""Whether the traffic, the risks given and the results are still what the model and the policy were made for."""

from pipelines.monitor.alarms import Alarm
from pipelines.monitor.monitoring import Evidence, Monitoring, monitor
from pipelines.monitor.thresholds import Thresholds, load_thresholds

__all__ = ["Alarm", "Evidence", "Monitoring", "Thresholds", "load_thresholds", "monitor"]
