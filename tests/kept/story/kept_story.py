"""What happened in a kept home before its last day: batches, lists, bundles, cases, an outage.

Runs only on a checkout of the version to be kept, whose modules `its_code` names.
"""

from __future__ import annotations

from datetime import timedelta
from unittest import mock

import sqlalchemy as sa
from its_code import (
    DECISIONS,
    LINKS,
    OUTCOMES,
    SELECTION,
    Detained,
    as_flat,
    carry_out,
    decide,
    decide_list,
    detain,
    expire,
    hand_on,
    import_list,
    ingest_manifest,
    ingest_outcomes,
    judge,
    load_policy,
    micros,
    note,
    open_journal,
    override,
    party_code,
    promote,
    propose,
    reassess,
    register,
    revoke_bundle,
    roll_back_bundle,
    score,
    serials_in,
    settle,
    settling,
    target,
    try_rules,
)
from kept_place import (
    DAYS,
    NAME,
    REMEMBERED_DAYS,
    Place,
    a_list,
    away,
    decisions,
    learned,
    mailboxes,
    policy_text,
    result_of,
    segments,
    sent,
    switch_on,
    under_one_roof,
)


def first_weeks(place: Place) -> None:
    """Everything up to the last day of the world."""
    place.settings.home.joinpath("policy.toml").write_text(policy_text("kept-1"), encoding="utf-8")
    switch_on(place.settings, place.at(0, 0))
    remembered(place)
    promote(1, "A. Martin", "first model", place.settings, place.at(REMEMBERED_DAYS, 0), name=NAME,
            policy=place.settings.home / "policy.toml", although="nothing serves yet")  # fmt: skip
    scored(place, 9, 10, 11)
    settled(place)
    lists(place)
    registered(place)
    bundles(place)
    two_people(place)
    scored(place, 15, 16)
    outage(place)
    scored(place, 17)
    results(place)
    words_of_officers(place)
    cases(place)
    place.sign(DAYS)


def remembered(place: Place) -> None:
    """The first days are ingested with their results, and settled into segments."""
    journal = open_journal(place.settings)
    forwarder = place.world / "forwarder.csv"
    forwarder.write_bytes(as_flat(under_one_roof(place), "M-forwarder"))
    ingest_manifest(forwarder, place.archive(), journal)
    for day in range(REMEMBERED_DAYS):
        ingest_manifest(place.manifest(day), place.archive(), journal)
        if day in (3, 6):
            settle(journal.store, everything=day == 3)
    for file in sorted((place.world / "outcomes").glob("*.parquet")):
        if file.stem < str(place.start + timedelta(days=REMEMBERED_DAYS)):
            ingest_outcomes(file, place.archive(), journal)
    journal.store.close()
    settled(place)


def settled(place: Place) -> None:
    """Write what lies in rows as a segment, as it would be with a hundred times the traffic."""
    with place.store() as store, mock.patch.object(settling, "ROWS_AT_MOST", 1):
        settle(store)


def scored(place: Place, *days: int) -> None:
    """Score days in bulk, each in the hours after it ended."""
    for day in days:
        with place.desk() as desk:
            score([place.manifest(day)], desk, place.archive(), place.at(day + 1, 1))


def lists(place: Place) -> None:
    """A watch list that wakes decisions, is replaced, shrinks and waits; others approved, refused, expired; reports."""
    now = micros(place.at(12, 8))
    with place.store() as store:
        green = decisions(store, DECISIONS.c.clearance == "green", DECISIONS.c.checked == "none")[-40:]
        stated = [(one, mailboxes(store, [one["consignment_id"]])) for one in green]
        first, told = next(one for one, of in stated if of), [email for _, of in stated for email in of][:5]
        override(store, first["decision_id"], "red", "b.keller", "the wording does not fit the sender",
                 place.at(12, 7), first["consignment_id"])  # fmt: skip
        others = [f"seller{n}{n}x@shop.example" for n in range(100, 106)]
        for number, emails in enumerate([told, [*told, *others[:1]], told[:2]]):
            import_list(store, "watch", a_list(emails), source="unit", by="anna", at=now + number * 60_000_000)
        for name, activate in (("approved", True), ("refused", False)):
            for number, emails in enumerate([others, others[:3]]):
                import_list(store, name, a_list(emails), source="unit", by="anna", at=now + number)
            decide_list(store, name, by="ben", at=now + 5, activate=activate)
        import_list(store, "short", a_list(others[4:]), source="unit", by="anna", at=now, expires_at=now + 60)
        expire(store, now + 100)
        for number in range(3):
            content = f"report_id,email,url\n{number},{told[-1]},best-kicks.example".encode()
            import_list(store, f"public-{number}", content, source="public", by="anna", at=now, reports=True)
    with place.desk() as desk:
        amended = reassess(desk, place.at(12, 9))
    if not amended:
        raise RuntimeError("the watch list made no decision stricter; choose another seed")
    place.sign(12)


def registered(place: Place) -> None:
    """A right holder registers what is genuine."""
    table = b"gtin,serial\n" + b"".join(b"9506000134352,K-%d\n" % n for n in range(5))
    with place.store() as store:
        register(store, serials_in(table), holder="Sole Brands", by="anna", at=micros(place.at(12, 10)))


def bundles(place: Place) -> None:
    """A second version serves for two days, is rolled back and revoked; rules alone decide while the first is lost."""
    promote(2, "A. Martin", "more results", place.settings, place.at(12, 11), name=NAME,
            policy=place.settings.home / "policy.toml", although="it has seen the new schemes")  # fmt: skip
    scored(place, 12, 13)
    roll_back_bundle("A. Martin", "it asks for too much")
    revoke_bundle(f"{NAME}-v2", "A. Martin", "it asks for too much")
    with away(place.settings.serving), place.desk() as desk:
        target(sent(place, "M-rules", 14, range(600, 604)), desk)
    scored(place, 14)


def two_people(place: Place) -> None:
    """Another policy is proposed and approved, a second one refused, a third one and a promotion still wait."""
    at, settings = place.at(15, 9), place.settings
    with place.store() as store:
        done = propose(store, "policy", policy_text("kept-2"), "a new year", "anna", at)
        try_rules(store, settings, done, policy_text("kept-2"))
        carry_out(store, settings, decide(store, done, True, "ben", at))
        refused = propose(store, "policy", policy_text("kept-3"), "another try", "anna", at)
        decide(store, refused, False, "ben", at)
        propose(store, "policy", policy_text("kept-4"), "another try", "anna", at)
        propose(store, "promotion", "1", "the old one was good", "anna", at, "nothing better is there")


def outage(place: Place) -> None:
    """Settled history is out for one message; once it is back, what was decided is decided again."""
    with away(segments(place)), place.desk() as desk:
        target(sent(place, "M-outage", 17, range(700, 706)), desk)
    with place.desk() as desk:
        desk.journal.catch_up()
        reassess(desk, place.at(17, 11))


def results(place: Place) -> None:
    """Half of what was opened was not as declared; what waited for the findings is decided again."""
    with place.store() as store:
        opened = decisions(store, DECISIONS.c.checked.in_(("physical", "scan")))[:24]
    at = place.at(DAYS, 6)
    told = [result_of(one, at, hit=number % 2 == 0, officer="o-17") for number, one in enumerate(opened)]
    learned(place, [one for one in told if one["consignment_id"]])
    with place.desk() as desk:
        reassess(desk, place.at(DAYS, 7))


def words_of_officers(place: Place) -> None:
    """Overrides, one of them said anew; judgements, one of them taken back; a network handed on."""
    with place.store() as store:
        at = place.at(DAYS, 8)
        green = decisions(store, DECISIONS.c.clearance == "green", DECISIONS.c.waits.is_(False))
        red = decisions(store, DECISIONS.c.clearance == "red", SELECTION != "random")
        yellow = decisions(store, DECISIONS.c.clearance.in_(("yellow", "blue")))
        said = [
            (green[0], "yellow", "documents first"),
            (green[0], "red", "the documents were false"),
            (red[-1], "green", "the sender was here"),
            (yellow[0], "red", "a colleague knows the sender"),
            (yellow[0], "yellow", "he was mistaken"),
        ]
        for number, (decision, lane, reason) in enumerate(said):
            moment = at + timedelta(minutes=number)
            override(store, decision["decision_id"], lane, "b.keller", reason, moment, decision["consignment_id"])
        with store.reading() as connection:
            pairs = [tuple(row) for row in connection.execute(sa.select(LINKS.c.one, LINKS.c.other).limit(3))]
        coded = [[party_code(entity) for entity in pair] for pair in pairs]
        judge(store, *coded[0], True, "b.keller", "both are one shop", micros(at))
        judge(store, *coded[1], False, "b.keller", "two brothers", micros(at))
        judge(store, *coded[1], True, "anna", "one shop after all", micros(at) + 1)
        judge(store, *coded[2], False, "anna", "a mistake", micros(at) + 2)
        judge(store, *coded[2], None, "anna", "not so sure", micros(at) + 3)
    handed = place.world / "handed-on.jsonl"
    hand_on(place.settings, coded[0][0], handed, "A. Martin", "asked for by a court", at)


def cases(place: Place) -> None:
    """Three detentions: destroyed, released, and one in which something is due."""
    journal = open_journal(place.settings)
    tracks = load_policy(policy_text("kept-1")).tracks
    with journal.store.reading() as connection:
        known = set(connection.execute(sa.select(OUTCOMES.c.consignment_id)).scalars())
    red = [one for one in decisions(journal.store, DECISIONS.c.clearance == "red") if one["consignment_id"] in known]
    steps = [
        ("declarant_notified", "holder_notified", "declarant_agrees", "holder_confirms", "destroyed"),
        ("declarant_notified", "holder_says_genuine", "released"),
        ("declarant_notified",),
    ]
    at = place.at(DAYS, 9)
    for number, (decision, then) in enumerate(zip(red, steps, strict=False)):
        about = Detained(decision["consignment_id"], at, "b.keller", "FR", "Sole Brands", units=2.0, gross_kg=1.0,
                         criminal_link=number == 2)  # fmt: skip
        detain(journal, about, tracks)
        for minutes, step in enumerate(then, start=1):
            note(journal, decision["consignment_id"], step, at + timedelta(minutes=minutes), "b.keller")
    journal.store.close()
