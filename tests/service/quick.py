"""A desk that costs milliseconds: a written model that learned nothing, its signed bundle, and a desk over a store.

What tests the record, the officers, the policy or the routes needs some score and no training. The fixtures `model`,
`home`, `desk` and `desk_with` hold what is made here; who needs what training makes asks for `trained_model`,
`trained_home` or `trained_desk`, and runs with the tests that are marked `model`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import lightgbm as lgb
import numpy as np

from features.assemble import assemble
from features.catalogue import INPUTS
from features.parties import Unlinked
from pipelines.training.standard_policy import standard_policy
from service.history.stored_history import StoredHistory
from service.journal import Journal
from service.orientation import load_policy
from service.scoring import Model, load_bundle
from service.scoring.bundle import seal, unscored, write_bundle
from service.scoring.trees import Trees
from service.settings import Settings
from service.store.database import Store
from service.targeting import Desk
from tests.service.building import MODEL_ID, consignments, declared, message

ASKED, MANY = "pieces", 10.0  # the one input that the written tree asks for, and where it splits
FEW_MARGIN, MANY_MARGIN = -2.5, -0.5  # log-odds of few pieces and of many
ORDINARY = (-6.0, -2.0)  # margins of an ordinary day: many pieces score higher than all of it
_TEXT = """tree
version=v4
num_class=1
num_tree_per_iteration=1
label_index=0
max_feature_idx={last}
objective=binary sigmoid:1
feature_names={names}
feature_infos={infos}
tree_sizes={size}

{tree}

end of trees

feature_importances:
{asked}=1

parameters:
[boosting: gbdt]
[objective: binary]
[max_bin: 255]

end of parameters

pandas_categorical:null
"""
_TREE = """Tree=0
num_leaves=2
num_cat=0
split_feature={place}
split_gain=1
threshold={threshold}
decision_type=2
left_child=-1
right_child=-2
leaf_value={few} {many}
leaf_weight=90 10
leaf_count=90 10
internal_value=0
internal_weight=100
internal_count=100
is_linear=0
shrinkage=1

"""


def written_trees() -> Trees:
    """One tree of two leaves over all inputs, as LightGBM would write it: many pieces score higher."""
    names = [item.name for item in INPUTS]
    tree = _TREE.format(place=names.index(ASKED), threshold=MANY, few=FEW_MARGIN, many=MANY_MARGIN)
    infos = " ".join("[0:1000]" for _ in names)
    text = _TEXT.format(
        last=len(names) - 1, names=" ".join(names), infos=infos, size=len(tree) + 1, tree=tree, asked=ASKED
    )
    return Trees.of(lgb.Booster(model_str=text))


def quick_model() -> Model:
    """A model of all inputs that scores a consignment by its pieces alone; nothing was fitted for it."""
    ordinary = np.linspace(*ORDINARY, 101)
    return replace(unscored(INPUTS), model_id=MODEL_ID, sha256="", reference=ordinary, trees=written_trees())


def quick_home(folder: Path) -> Path:
    """A home whose bundle is the written model, signed, proved and serving; without a store."""
    settings, model = Settings(home=folder), quick_model()
    sent = message(*(declared(n, goods=[{**declared()["goods"][0], "quantity": 5 * n}]) for n in range(1, 6)))
    golden = assemble(consignments(sent), None, model.fits, model.inputs)
    bundle = settings.bundles / MODEL_ID
    write_bundle(bundle, model, golden, {"policy.toml": standard_policy(), "card.md": "# Written by hand\n"})
    seal(bundle, settings.keys, {"model_id": MODEL_ID, "promoted_by": "tests"})
    settings.champion.write_text(MODEL_ID, encoding="utf-8")
    load_bundle(settings.serving, settings.keys)  # proved once: a copy of the home carries the proof
    return folder


def desk_of(store: Store, model: Model, policy: str | None = None) -> Desk:
    """A live desk over a store with a model, and the policy of a text or else the standard one."""
    return Desk(Unlinked(), StoredHistory(store), model, load_policy(policy or standard_policy()), Journal(store))
