"""A synthetic world of postal and express consignments with planted truth, for training and evaluation."""

from pipelines.synthetic.simulation import Lodged, Simulation
from pipelines.synthetic.world_settings import World, load_world
from pipelines.synthetic.write import WorldSummary, build_world

__all__ = ["Lodged", "Simulation", "World", "WorldSummary", "build_world", "load_world"]
