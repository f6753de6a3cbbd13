"""The weights that `tamis replay` prints: what each input added to the score, by the bundle that decided."""

from __future__ import annotations

from pipelines import show
from service.audit.explain import Explanation, explain
from service.audit.replay import Bundles, NotReplayable
from service.store.database import Store

TOP = 10


def show_weights(store: Store, bundles: Bundles, decision_id: str) -> None:
    """Print the strongest contributions to the score of a decision, or why there are none."""
    try:
        lines = weight_lines(explain(store, bundles, decision_id))
    except NotReplayable as lacking:
        lines = [f"no weights: {lacking}"]
    for line in lines:
        show.line(line)


def weight_lines(explanation: Explanation) -> list[str]:
    """Lay out the base value, the strongest contributions, the sum of all others, and the margin they add up to."""
    top, others = explanation.contributions[:TOP], explanation.contributions[TOP:]
    rest = sum(one.contribution for one in others)
    return [
        f"model {explanation.model_sha256[:12]}…: risk {explanation.risk:.4f}, log-odds {explanation.margin:+.4f}",
        f"  {explanation.expected_margin:+.4f}  base value: an ordinary consignment",
        *(
            f"  {one.contribution:+.4f}  {one.item.name}: {'unknown' if one.value is None else one.value}"
            f" ({one.item.words['en']})"
            for one in top
        ),
        f"  {rest:+.4f}  {len(others)} other inputs together",
    ]
