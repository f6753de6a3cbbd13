"""What models learned on earlier code can do with today's features: the same, or nearly; proved, then listed.

A model is judged over the inputs that it learned on itself, as today's code computes them: an input that the catalogue
gained since is none of its business, and it goes on deciding.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from features.catalogue import EVERY_INPUT, Input
from features.consignment import EXTRA
from features.fingerprint import code_fingerprint, fingerprint, fingerprint_over, meanings
from features.plugins import PLUGINS

# the hashes of the code as it is, over the inputs that earlier code had: at first, with plausibility of identities,
# with the receiving side, and with habits of senders; more inputs in the catalogue do not move them
TODAY = "0da9992f14f5bc4ab86bef5a5176af8826a04bbc0bdc3884ee5385009482cb11"
TODAY_PLAUSIBLE = "8a916040f5bd20e79c7b5179a7a981818c49ea12efa4a8fc4bb1900e2d244b89"
TODAY_RECEIVING = "7c084df53e1467e24acfd67914815b5ad0a401a1f88a101b336cee6f8eebb6fe"
TODAY_HABITUAL = "3cfb1629a6a700eb99ad4c586c9392869b13f6bded29d4f50d232c6cbc4c33d8"
# The fingerprints (or hashes of code) of earlier code that today's computes the same as. Each is proved by a frame of
# features which the earlier code made of a kept archive: tests/kept says how, and its test names the hash to write
# above. Whoever changes what a feature is takes its entry away, or moves it to REVISED_SINCE.
SAME_FEATURES_AS: dict[str, frozenset[str]] = {
    TODAY: frozenset(
        {
            "914ca2e7be2ecbfb5869923ff2049f45f00326158dd7d35e8a7763e63875bd8f",
            "7757524b5734aff60ec6802dbef42f15f521ddec34896fcc3ee50aac4fd2a612",
        }
    ),
    TODAY_PLAUSIBLE: frozenset(
        {
            "39285ba43142ce64f9c5c6a876eca1f820231525308eaea491f1d401d5e617b0",
            "40be1816d3ced954b59f3c7a553e182d7ab2080715136593727ea172a08424f2",
        }
    ),
    TODAY_RECEIVING: frozenset({"36fa7f2cf3d786cc87611c7eefabec1e80724c5177b414dfaedc8f0b97cc25fa"}),
    TODAY_HABITUAL: frozenset({"6001c7ad2808c64a8e8a6c3ad499b8b04a93cac094270a3b72058fbb284eb0a5"}),
}

# Earlier code by whose features today's are meant, though some are read with more care: those whose names begin with
# the words listed (`consignor_`, `network_` …). Models that learned on it go on deciding, and should learn anew. The
# same test holds that no other feature differs. A feature that means something else is no revision.
# Telephones by number plan, sellers on marketplaces by their page, addresses with their town, names in any script:
CAREFUL_IDENTIFIERS = ("cards", "consignor", "identifiers", "lookalikes", "network")
REVISED_SINCE: dict[str, dict[str, tuple[str, ...]]] = {
    TODAY: {
        "7e370f883adaeb6e24546f738d50143552a0dd941adc81d9030d65fa4b30886c": CAREFUL_IDENTIFIERS,
        # the last over frames, which the first over columns equalled: tests/parity/test_columns_equal_frames.py
        "fc7e05ab9907059c0dab548a019712db4e75aa42911c3f6636fe191340f77b60": CAREFUL_IDENTIFIERS,
    }
}


def means_the_same(inputs: Sequence[Input], learned: str, learned_code: str | None) -> bool:
    """Whether today's features are those that a model learned on, bit for bit.

    inputs: its own, as its bundle keeps them. learned, learned_code: the fingerprint of its inputs, and the hash of
    their code where its bundle names that too.
    """
    if any(_gone(inputs)):
        return False
    if learned == fingerprint(inputs):
        return True
    listed = SAME_FEATURES_AS.get(code_fingerprint(inputs), frozenset())
    return any(_is_of(earlier, inputs, learned, learned_code) for earlier in listed)


def revised_since(inputs: Sequence[Input], learned: str, learned_code: str | None) -> tuple[str, ...]:
    """Return the identifiers that are read with more care than when a model learned; none for what is no revision.

    learned, learned_code: as in `means_the_same`.
    """
    if any(_gone(inputs)):
        return ()
    listed = REVISED_SINCE.get(code_fingerprint(inputs), {})
    return next((kinds for earlier, kinds in listed.items() if _is_of(earlier, inputs, learned, learned_code)), ())


def lacking_plugins(inputs: Sequence[Input]) -> dict[str, list[str]]:
    """Return the plug-ins that inputs of a model come from and that are not installed here, each with those inputs."""
    lacking: dict[str, list[str]] = {}
    for item in inputs:
        if item.plugin and item.plugin not in PLUGINS:
            lacking.setdefault(item.plugin, []).append(item.name)
    return lacking


def differences(inputs: Sequence[Input], learned: Mapping[str, str]) -> list[str]:
    """Name the inputs of a model that today's catalogue has no more, or that are computed otherwise.

    learned: what each input meant (`meanings`) when the model learned; empty for a bundle that does not say. None named
    where only code changed that all inputs rest on.
    """
    gone = dict(_gone(inputs))
    now = meanings([item for item in inputs if item.name not in gone])
    return [
        gone.get(item.name) or f"{item.name} is computed otherwise"
        for item in inputs
        if item.name in gone or learned.get(item.name, now[item.name]) != now[item.name]
    ]


def _gone(inputs: Sequence[Input]) -> Iterator[tuple[str, str]]:
    """Yield the inputs of a model that today's catalogue lacks or has of another kind; a unit's own are in none."""
    today = {item.name: item.kind for item in EVERY_INPUT}
    for item in inputs:
        if item.name in today and today[item.name] != item.kind:
            yield item.name, f"{item.name} is a {today[item.name]} today and was a {item.kind}"
        elif item.name not in today and not item.name.startswith(EXTRA):
            yield item.name, f"{item.name} is in the catalogue no more"


def _is_of(earlier: str, inputs: Sequence[Input], learned: str, learned_code: str | None) -> bool:
    """Whether an entry, the hash of code or a fingerprint, is what a model learned on."""
    return learned == earlier or (learned_code == earlier and learned == fingerprint_over(inputs, earlier))
