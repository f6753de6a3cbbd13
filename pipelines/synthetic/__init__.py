"""A synthetic world of postal and express consignments with planted truth, for training and evaluation."""

from pipelines.synthetic.family import held_back_of, load_family, world_of
from pipelines.synthetic.simulation import Lodged, Simulation
from pipelines.synthetic.world_settings import World, load_world
from pipelines.synthetic.write import WorldSummary, build_of_family, build_world

__all__ = [
    "Lodged",
    "Simulation",
    "World",
    "WorldSummary",
    "build_of_family",
    "build_world",
    "held_back_of",
    "load_family",
    "load_world",
    "world_of",
]
