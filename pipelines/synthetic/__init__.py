"""A world of postal and express consignments with planted truth, to learn in and to be judged by."""

from pipelines.synthetic.settings import World, load_world
from pipelines.synthetic.simulation import Lodged, Simulation
from pipelines.synthetic.write import WorldSummary, build_world

__all__ = ["Lodged", "Simulation", "World", "WorldSummary", "build_world", "load_world"]
