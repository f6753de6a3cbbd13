"""In a process of its own, where a plug-in is installed or not: train and seal a model, or decide by its bundle."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from features.assemble import assemble
from features.catalogue import INPUTS
from pipelines.batch.archive import Archive
from pipelines.training.hyper_parameters import PARAMETERS
from pipelines.training.model_card import model_card
from pipelines.training.standard_policy import standard_policy
from pipelines.training.train import train
from pipelines.training.training_frame import build_training_frame
from service.scoring.bundle import load_bundle, seal, write_bundle
from service.settings import Settings
from service.store.database import Store
from service.targeting import target
from tests.service.building import consignments, declared, message
from tests.service.quick import desk_of

MODEL = "plugged"


def learn(home: Path, archive: Path) -> None:
    """Train on all inputs of this environment, and let the signed bundle serve."""
    PARAMETERS["num_threads"] = 1
    trained = train(build_training_frame(Archive(archive), INPUTS), INPUTS, MODEL)
    settings = Settings(home=home)
    bundle = settings.bundles / MODEL
    write_bundle(
        bundle, trained.model, trained.golden, {"policy.toml": standard_policy(), "card.md": model_card(trained, MODEL)}
    )
    seal(bundle, settings.keys, {"model_id": MODEL, "promoted_by": "tests"})
    settings.champion.write_text(MODEL, encoding="utf-8")


def decide(home: Path) -> dict[str, object]:
    """Decide a call of two, and what their rows hold of the last inputs when they are read as a batch."""
    settings = Settings(home=home)
    model, policy = load_bundle(settings.serving, settings.keys)
    sent = message(declared(1, gross_mass_kg=2.0), declared(2, gross_mass_kg=3.0))
    store = Store(settings.store_address)
    desk = desk_of(store, model, policy)
    decisions = target(sent, desk).as_json()
    store.close()
    rows = assemble(consignments(sent), None, model.fits, model.inputs).frame
    return {
        "inputs": [item.name for item in model.inputs if item.plugin],
        "modes": [decision["mode"] for decision in decisions],
        "models": [decision["model_id"] for decision in decisions],
        "masses": rows["harbour_mass_per_line"].to_list(),
        "countries": rows["dispatch_country"].to_list(),
    }


if __name__ == "__main__":
    home = Path(sys.argv[2])
    if sys.argv[1] == "learn":
        learn(home, Path(sys.argv[3]))
    else:
        print(json.dumps(decide(home)))
