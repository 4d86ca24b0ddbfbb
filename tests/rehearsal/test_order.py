"""What counts as having seen each change once and in order."""

from __future__ import annotations

from app.rehearsal.order import BATCH_PATH, PAYMENT_PATH, faults_in_order, without_running_totals
from app.rehearsal.watch import PaymentWatch, SettlementWatch


def seen(*statuses: str) -> dict[str, tuple[str, ...]]:
    return {"p1": statuses}


def test_each_change_once_and_in_order_is_no_fault() -> None:
    assert faults_in_order(seen(*PAYMENT_PATH), {"p1": PAYMENT_PATH}) == []


def test_a_missing_change_is_named() -> None:
    faults = faults_in_order(seen("ACCEPTED", "SETTLED"), {"p1": PAYMENT_PATH})

    assert faults == ["p1: missing CLEARED in ACCEPTED SETTLED"]


def test_a_doubled_change_is_named() -> None:
    faults = faults_in_order(seen("ACCEPTED", "CLEARED", "CLEARED", "SETTLED"), {"p1": PAYMENT_PATH})

    assert faults == ["p1: doubled CLEARED in ACCEPTED CLEARED CLEARED SETTLED"]


def test_a_swapped_pair_is_named() -> None:
    faults = faults_in_order(seen("ACCEPTED", "SETTLED", "CLEARED"), {"p1": PAYMENT_PATH})

    assert faults == ["p1: out of order in ACCEPTED SETTLED CLEARED"]


def test_an_unexpected_change_is_named() -> None:
    faults = faults_in_order(seen("ACCEPTED", "REVERSED", "CLEARED", "SETTLED"), {"p1": PAYMENT_PATH})

    assert faults == ["p1: unexpected REVERSED in ACCEPTED REVERSED CLEARED SETTLED"]


def test_an_object_that_was_not_seen_at_all_misses_every_change() -> None:
    faults = faults_in_order({}, {"p1": PAYMENT_PATH})

    assert faults == ["p1: missing ACCEPTED, CLEARED, SETTLED in nothing"]


def test_an_object_that_belongs_to_somebody_else_is_named() -> None:
    assert faults_in_order(seen("ACCEPTED"), {}) == ["p1: not meant for this subscriber"]


def test_the_first_change_may_be_missing_where_the_object_is_older_than_the_subscription() -> None:
    late = seen("CLEARED", "SETTLED")

    assert faults_in_order(late, {"p1": PAYMENT_PATH}, {"p1"}) == []
    assert faults_in_order(late, {"p1": PAYMENT_PATH}) == ["p1: missing ACCEPTED in CLEARED SETTLED"]
    assert faults_in_order(seen("SETTLED"), {"p1": PAYMENT_PATH}, {"p1"}) == [
        "p1: missing CLEARED in SETTLED"
    ]


def test_running_totals_are_no_changes_but_an_open_after_the_cut_is_one() -> None:
    assert without_running_totals(["OPEN", "OPEN", "CUT"]) == ["OPEN", "CUT"]
    assert without_running_totals(["OPEN", "CUT", "OPEN"]) == ["OPEN", "CUT", "OPEN"]
    assert without_running_totals(["OPEN", "CUT", "CUT"]) == ["OPEN", "CUT", "CUT"]


def settlement(*pictures: tuple[str, int, str]) -> SettlementWatch:
    watch = SettlementWatch("105")
    for status, count, amount in pictures:
        watch.take({"batch": {"id": "b1"}, "status": status, "paymentCount": count, "totalAmount": amount})
    return watch


def test_a_settlement_watch_accepts_growing_totals_and_every_step() -> None:
    steps = [(status, 2, "790.00") for status in BATCH_PATH]
    watch = settlement(("OPEN", 0, "0.00"), ("OPEN", 1, "395.00"), *steps)

    assert watch.faults({"b1": BATCH_PATH}, {"b1": (2, "790.00")}, set()) == []
    assert not watch.waits_for({"b1": BATCH_PATH}, {"b1": (2, "790.00")})


def test_a_settlement_watch_names_totals_that_changed_after_the_cut() -> None:
    watch = settlement(("OPEN", 0, "0.00"), ("CUT", 1, "395.00"), ("BALANCED", 2, "790.00"))

    faults = watch.faults({"b1": BATCH_PATH[:3]}, {"b1": (2, "790.00")}, set())

    assert faults == ["b1: totals changed after the cut: [(1, '395.00'), (2, '790.00')]"]


def test_a_settlement_watch_names_newest_totals_that_are_not_the_batchs() -> None:
    watch = settlement(("OPEN", 1, "395.00"))

    assert watch.waits_for({"b1": ("OPEN",)}, {"b1": (2, "790.00")})
    assert watch.faults({"b1": ("OPEN",)}, {"b1": (2, "790.00")}, set()) == [
        "b1: newest totals (1, '395.00') differ from (2, '790.00')"
    ]


def test_a_payment_watch_waits_until_the_last_change_has_come() -> None:
    watch = PaymentWatch(None)
    watch.take({"payment": {"id": "p1"}, "status": "ACCEPTED"})

    assert watch.waits_for({"p1": PAYMENT_PATH})

    watch.take({"payment": {"id": "p1"}, "status": "CLEARED"})
    watch.take({"payment": {"id": "p1"}, "status": "SETTLED"})
    assert not watch.waits_for({"p1": PAYMENT_PATH})
    assert watch.faults({"p1": PAYMENT_PATH}, set()) == []
