"""One batch on many machines: the same features, history and trees, worked on by the workers of a dask cluster."""

from pipelines.many.crew import Crew, CrewFault, working
from pipelines.many.desk import SpreadDesk, spread

__all__ = ["Crew", "CrewFault", "SpreadDesk", "spread", "working"]
