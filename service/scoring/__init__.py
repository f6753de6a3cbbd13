"""The model that ranks, its calibration and its reasons, loaded from a verified bundle."""

from service.scoring.bundle import BundleRefused, load_bundle
from service.scoring.model import Model, Scores

__all__ = ["BundleRefused", "Model", "Scores", "load_bundle"]
