"""How dear linking is: a million senders offline, one consignment on a live store; and how good, beside two peers.

python -m tests.bench.linking [offline] [live] [peers] [--thousands 100 --thousands 1000]
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import resource
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from features.consignment import CONSIGNMENT_COLUMNS, GOODS_COLUMNS, TIME, Consignments
from features.history.keys import ADDRESS
from features.parties.evidence import SENDER
from features.parties.graph import Graph
from features.parties.linking import grow, with_evidence
from pipelines.benchmark.network_quality import pairwise
from pipelines.benchmark.world_evidence import Size, gather
from pipelines.synthetic.sellers import honest_sellers, premises
from pipelines.synthetic.world_goods import load_goods
from pipelines.synthetic.world_settings import load_world
from service.parties.linking_switch import LinkingSwitch
from service.parties.stored_parties import StoredParties, keep
from service.store.database import Store
from tests.bench.history import _apart, _table

PARTS = ("offline", "live", "peers")
START = datetime(2026, 1, 1, tzinfo=UTC)
LIVE_BEFORE, LIVE_CALLS = 100_000, 1_000
CARDS = {
    "consignor_name": "name", "consignor_address": "address", "consignor_country": "country",
    "consignor_phone": "phone",
    "consignor_email": "email", "consignor_id": "id", "seller_account": "account", "seller_url": "url",
}  # fmt: skip


def declarations(senders: int) -> Consignments:
    """One consignment of each of so many honest sellers, forwarders' tenants and owners of several shops among them."""
    world, goods = load_world(), load_goods()
    volume = round(senders / world.honest.sellers_per_consignment)
    sellers = honest_sellers(world, goods, premises(world, 10**9, senders), 10**10, 90, volume)
    cards = sellers.cards.select(pl.col(own).alias(column) for column, own in CARDS.items())
    texts = {c.name: pl.lit(None, c.dtype).alias(c.name) for c in CONSIGNMENT_COLUMNS if c.name not in CARDS}
    frame = cards.with_columns(*texts.values()).with_columns(
        pl.int_range(pl.len()).cast(pl.UInt32).alias("row"),
        pl.lit("B").alias("message_id"),
        pl.int_range(pl.len()).cast(pl.String).alias("consignment_id"),
        pl.lit(1, pl.Int64).alias("version"),
        (pl.lit(START) + pl.int_range(pl.len()) * pl.duration(seconds=1)).cast(TIME).alias("lodged_at"),
    )
    nothing = {c.name: pl.Series([], dtype=c.dtype) for c in GOODS_COLUMNS}
    more = {"row": pl.Series([], dtype=pl.UInt32), "line_value_eur": pl.Series([], dtype=pl.Float64)}
    return Consignments(frame, pl.DataFrame(more | nothing))


def offline(senders: int) -> dict[str, Any]:
    """Everything from nothing: evidence, then the graph, declaration by declaration."""
    consignments = declarations(senders)
    began = time.perf_counter()
    stated = with_evidence(consignments)
    evidence = time.perf_counter() - began
    graph = Graph()
    grow(graph, stated)
    return {
        "senders": senders,
        "evidence_s": evidence,
        "graph_s": time.perf_counter() - began - evidence,
        "us_each": (time.perf_counter() - began) / senders * 1e6,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "links": sum(len(of) for of in graph.links.values()) // 2,
        "networks": sum(len(of) > 1 for of in graph.members.values()),
    }


def live() -> list[dict[str, Any]]:
    """One consignment at a time against a store: what linking adds to the reading and to the writing of a call."""
    consignments = with_evidence(declarations(LIVE_BEFORE + LIVE_CALLS))
    with tempfile.TemporaryDirectory(prefix="tamis-bench-") as folder:
        store = Store(f"sqlite:///{folder}/store.db")
        switch = LinkingSwitch(Path(folder) / "linking.json")
        switch.turn_on("bench", "nobody here exists", START)
        order = np.random.default_rng(1).permutation(len(consignments))
        known, new = order[:LIVE_BEFORE], order[LIVE_BEFORE:]
        with store.writing() as connection:
            keep(connection, Consignments(consignments.frame[np.sort(known)], consignments.goods))
        parties = StoredParties(store, switch)
        bare, spent = consignments.frame.drop("sender_evidence", "card_entity"), []
        for row in new:
            one = Consignments(bare[[int(row)]].with_columns(pl.lit(0, pl.UInt32).alias("row")), consignments.goods)
            began = time.perf_counter()
            linked = parties.link(one)
            read = time.perf_counter()
            with store.writing() as connection:
                keep(connection, linked)
            spent.append((read - began, time.perf_counter() - read))
        store.close()
    told = []
    for part, column in (("read", 0), ("write", 1)):
        p50, p99 = np.quantile(np.array(spent)[:, column] * 1000, [0.5, 0.99])
        told.append({"part": part, "cards": LIVE_BEFORE, "p50_ms": p50, "p99_ms": p99})
    return told


def peers(seed: int) -> list[dict[str, Any]]:
    """Pairs of senders in a world whose truth is known: ours, exact matching, and splink where it is installed."""
    with tempfile.TemporaryDirectory(prefix="tamis-bench-") as folder:
        consignments, _, truth = gather(Path(folder), seed, Size())
    cards = consignments.frame.select("card_entity", *SENDER).drop_nulls("card_entity")
    ways: dict[str, Callable[[], Mapping[int, int]]] = {
        "tamis": lambda: _ours(consignments),
        "exact matching": lambda: _exact(cards),
        "splink alone": lambda: _splink(cards),
    }
    if importlib.util.find_spec("splink") is None:
        print("splink is not installed, so it is not measured: `uv pip install splink` beside the other packages")
        del ways["splink alone"]
    told = []
    for peer, way in ways.items():
        began = time.perf_counter()
        network_of = way()
        seconds = time.perf_counter() - began
        told.append({"peer": peer, "seconds": seconds, **pairwise(consignments, network_of, truth)})
    return told


def _ours(consignments: Consignments) -> Mapping[int, int]:
    graph = Graph()
    grow(graph, consignments)
    return graph.network_of


def _exact(cards: pl.DataFrame) -> dict[int, int]:
    """One where name and address, or any identifier, are letter for letter the same."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    numbered = cards.unique("card_entity", maintain_order=True).select("card_entity").with_row_index("number")
    stated = cards.join(numbered, on="card_entity")
    pairs = []
    for columns in (["consignor_phone"], ["consignor_email"], ["seller_account"], ["seller_url"], ["consignor_id"],
                    ["consignor_name", "consignor_address"]):  # fmt: skip
        known = stated.drop_nulls(columns)
        first = known.group_by(columns).agg(pl.col("number").min().alias("first"))
        pairs.append(known.join(first, on=columns).select("number", "first"))
    edges = pl.concat(pairs).to_numpy()
    ones = np.ones(len(edges))
    graph = coo_matrix((ones, (edges[:, 0], edges[:, 1])), shape=(numbered.height, numbered.height))
    return dict(zip(numbered["card_entity"].to_list(), connected_components(graph)[1].tolist(), strict=True))


def _splink(cards: pl.DataFrame) -> dict[int, int]:
    """Fellegi and Sunter with weights found without labels, on the same columns, written comparably."""
    import splink.comparison_library as cl
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    from features.identifiers.mailboxes import mailbox_stem
    from features.identifiers.shops import shop
    from features.identifiers.telephones import telephone
    from tests.oracle.entities.comparable import building, comparable, words_of_name
    from tests.oracle.entities.mapping import mapped, stated_in

    frame = cards.select(
        pl.col("card_entity").cast(pl.String).alias("unique_id"),
        words_of_name("consignor_name").alias("name"),
        building(*ADDRESS).alias("address"),
        stated_in("consignor_phone", "consignor_country", telephone).alias("phone"),
        mapped(pl.col("consignor_email"), mailbox_stem).alias("mailbox"),
        comparable("seller_account").alias("account"),
        mapped(pl.col("seller_url"), shop).alias("shop"),
    )
    one_each = frame.group_by("unique_id", maintain_order=True).agg(pl.all().drop_nulls().first()).to_pandas()
    names = ("phone", "mailbox", "account", "shop", "address")
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=[
            cl.JaroWinklerAtThresholds("name", [0.92]).configure(term_frequency_adjustments=True),
            *(cl.ExactMatch(name).configure(term_frequency_adjustments=True) for name in names),
        ],
        blocking_rules_to_generate_predictions=[block_on(name) for name in ("name", *names)],
    )
    linker = Linker(DuckDBAPI().register(one_each), settings)
    linker.training.estimate_probability_two_random_records_match([block_on("account")], recall=0.4)
    linker.training.estimate_u_using_random_sampling(max_pairs=2e6)
    for name in ("account", "phone", "mailbox"):
        linker.training.estimate_parameters_using_expectation_maximisation(block_on(name))
    pairs = linker.inference.predict(threshold_match_probability=0.95)
    clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(pairs, 0.95).as_pandas_dataframe()
    return {
        int(card): hash(cluster) for card, cluster in zip(clusters["unique_id"], clusters["cluster_id"], strict=True)
    }


def main() -> None:
    """Measure what is asked for and print a table of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"any of {', '.join(PARTS)}; all where none is named")
    parser.add_argument("--thousands", type=int, action="append", help="senders offline; 100 and 1000")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=1, help="of the world in which peers are compared")
    given = parser.parse_args()
    if given.one:
        print(json.dumps(globals()[given.one[0]](int(given.one[1]))))
        return
    parts = given.parts or PARTS
    if "offline" in parts:
        sizes = given.thousands or (100, 1000)
        _table("senders from nothing", [_apart("offline", str(n * 1000), "tests.bench.linking") for n in sizes])
    if "live" in parts:
        _table("one consignment, linked and kept durably", live())
    if "peers" in parts:
        _table("pairs of senders behind whom one party stands", peers(given.seed))


if __name__ == "__main__":
    main()
