"""Likeness of wording: whole weights of the right sign, learned strictly from the past."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.algebra import Text
from features.consignment import TIME
from features.moments import micros
from features.wording import BUCKETS, UNIT, Wording, fit_wording, sequences

DATE = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def inspected(*told: tuple[str, bool, datetime]) -> pl.DataFrame:
    schema = {"description": pl.String(), "hit": pl.Boolean(), "known_at": TIME}
    return pl.DataFrame(list(told), schema=schema, orient="row")


def learned(date: datetime = DATE) -> Wording:
    hits = [("replica watch", True, DATE - DAY)] * 6
    clean = [("cotton shirt", False, DATE - DAY)] * 6
    return fit_wording(inspected(*hits, *clean), [date])


def likeness(wording: Wording, *texts: str | None, at: datetime = DATE) -> list[float | None]:
    told = wording.attach(Text.of(texts), np.full(len(texts), micros(at))).tolist()
    return [None if math.isnan(value) else value for value in told]


def triples(text: str) -> list[str]:
    """An independent count: every three letters of the text with a space before and after."""
    padded = f" {' '.join(text.lower().split())} "
    return [padded[i : i + 3] for i in range(len(padded) - 2)]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(alphabet="ab éß手\t\u3000", max_size=6), max_size=5))
def test_every_three_letters_of_each_text_are_found_and_none_across_two(texts: list[str]) -> None:
    found = sequences(texts)
    assert np.bincount(found.text, minlength=len(texts)).tolist() == [len(triples(text)) for text in texts]
    assert ((found.bucket >= 0) & (found.bucket < BUCKETS)).all()
    for i, text in enumerate(texts):
        alone = sequences([text])
        assert found.bucket[found.text == i].tolist() == alone.bucket.tolist()


def test_equal_sequences_fall_into_one_bucket_and_case_does_not_matter() -> None:
    buckets = sequences(["AbAb"]).bucket
    assert triples("AbAb") == [" ab", "aba", "bab", "ab "]
    assert len(set(buckets.tolist())) == 4
    assert sequences(["abab"]).bucket.tolist() == buckets.tolist()


def test_texts_that_hold_nothing_have_no_sequence() -> None:
    for texts in ([], [None], [""], ["   "], ["\x00"]):
        assert len(sequences(texts).bucket) == 0
    assert len(sequences(["x"]).bucket) == 1


def test_weights_are_whole_and_their_sign_is_right() -> None:
    table = learned().table
    weights = np.array(table["weights"].to_list()[0])
    assert table.schema["weights"] == pl.List(pl.Int64)
    assert weights.shape == (BUCKETS,)
    of_hits, of_clean = (sequences([text]).bucket for text in ("replica watch", "cotton shirt"))
    only_hits, only_clean = np.setdiff1d(of_hits, of_clean), np.setdiff1d(of_clean, of_hits)
    assert (weights[only_hits] > 0).all()
    assert (weights[only_clean] < 0).all()
    unseen = np.setdiff1d(np.arange(BUCKETS), np.union1d(of_hits, of_clean))
    assert (weights[unseen] == 0).all()


def test_a_weight_is_the_shrunk_logarithm_of_odds() -> None:
    weights = np.array(learned().table["weights"].to_list()[0])
    bucket = sequences(["replica"]).bucket[2]
    odds = ((6 + 4 * 0.5) / (6 + 4)) / ((0 + 4 * 0.5) / (6 + 4))  # in 6 of 6 hits, 0 of 6 clean; prior 4 × half
    assert weights[bucket] == round(np.log(odds) * UNIT)


def test_likeness_is_the_mean_weight_of_a_text() -> None:
    like, unlike, unknown, nothing = likeness(learned(), "replica watch", "Cotton  SHIRT", "zzzz", None)
    weights = np.array(learned().table["weights"].to_list()[0])
    assert like == pytest.approx(weights[sequences(["replica watch"]).bucket].mean() / UNIT)
    assert like is not None
    assert like > 0
    assert unlike is not None
    assert unlike < 0
    assert (unknown, nothing) == (0.0, None)


def test_a_sequence_counts_once_in_each_text() -> None:
    told = [("aaaaaaaa", True, DATE - DAY), ("aaa", True, DATE - DAY), ("bbb", False, DATE - DAY)]
    once = [("aaa", True, DATE - DAY), ("aaa", True, DATE - DAY), ("bbb", False, DATE - DAY)]
    bucket = sequences(["aaa"]).bucket[1]
    one, other = (fit_wording(inspected(*rows), [DATE]).table["weights"].to_list()[0][bucket] for rows in (told, once))
    assert one == other


def test_before_the_first_date_nothing_is_known() -> None:
    assert likeness(learned(), "replica watch", at=DATE - timedelta(microseconds=1)) == [None]
    assert likeness(learned(), "replica watch", at=DATE)[0] is not None
    assert likeness(fit_wording(inspected(), [DATE]), "replica watch") == [None]
    assert likeness(learned()) == []


def test_results_known_at_the_date_or_later_have_no_influence() -> None:
    past = [("replica watch", True, DATE - DAY), ("cotton shirt", False, DATE - DAY)]
    future = [("cotton shirt", True, DATE), ("cotton shirt", True, DATE + DAY)]
    assert fit_wording(inspected(*past, *future), [DATE]).table.equals(fit_wording(inspected(*past), [DATE]).table)
    just_before = ("cotton shirt", True, DATE - timedelta(microseconds=1))
    assert not fit_wording(inspected(*past, just_before), [DATE]).table.equals(
        fit_wording(inspected(*past), [DATE]).table
    )


def test_results_of_one_kind_teach_nothing() -> None:
    for hit in (True, False):
        told = inspected(("replica watch", hit, DATE - DAY), ("cotton shirt", hit, DATE - DAY))
        assert fit_wording(told, [DATE]).table.is_empty()


def test_each_date_serves_until_the_next() -> None:
    later = DATE + 7 * DAY
    told = [
        ("replica watch", True, DATE - DAY),
        ("cotton shirt", False, DATE - DAY),
        *[("replica watch", False, DATE), ("cotton shirt", True, DATE)] * 9,
    ]
    wording = fit_wording(inspected(*told), [DATE, later])
    (before,) = likeness(wording, "replica watch", at=later - DAY)
    (after,) = likeness(wording, "replica watch", at=later)
    assert before is not None
    assert after is not None
    assert before > 0 > after


def test_the_order_of_results_does_not_matter() -> None:
    told = [("replica watch", True, DATE - DAY), ("cotton shirt", False, DATE - 2 * DAY), ("belt", False, DATE - DAY)]
    assert fit_wording(inspected(*told), [DATE]).table.equals(fit_wording(inspected(*told[::-1]), [DATE]).table)


def test_the_order_of_dates_does_not_matter() -> None:
    told = inspected(
        ("replica watch", True, DATE - DAY), ("cotton shirt", False, DATE - DAY), ("replica watch", False, DATE)
    )
    later = DATE + 7 * DAY
    ordered, reversed_ = (fit_wording(told, dates) for dates in ([DATE, later], [later, DATE]))
    for at in (DATE + DAY, later + DAY):
        assert likeness(reversed_, "replica watch", at=at) == likeness(ordered, "replica watch", at=at)
