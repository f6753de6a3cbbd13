"""BentoML serving the same trees: score and the five strongest shap values of floats that are ready.

Runs in the environment of the peers, never in ours; TAMIS_TREES names the file of the trees.
"""

import os

import bentoml
import lightgbm as lgb
import numpy as np
import shap


@bentoml.service(workers=1)
class Scoring:
    """One worker, one thread a prediction, as ours."""

    def __init__(self) -> None:
        self.booster = lgb.Booster(model_file=os.environ["TAMIS_TREES"])
        self.explainer = shap.TreeExplainer(self.booster)

    @bentoml.api  # type: ignore[untyped-decorator]  # not installed here
    def score(self, row: list[float | None]) -> dict[str, float | list[list[float]]]:
        """The score of a row, and which five inputs weigh most."""
        floats = np.array([row], dtype=np.float64)
        told = np.asarray(self.explainer.shap_values(floats)).reshape(-1)[: floats.shape[1]]
        strongest = np.argsort(-np.abs(told))[:5]
        score = float(self.booster.predict(floats, raw_score=True, num_threads=1)[0])
        return {"score": score, "reasons": [[int(i), float(told[i])] for i in strongest]}
