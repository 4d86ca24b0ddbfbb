"""The invariants of a finished season, held over what the API says and what the partners know."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from app.rehearsal.book import Book
from app.rehearsal.cast import CLEARING_BANKS
from app.rehearsal.census import Census
from app.rehearsal.findings import Check
from app.rehearsal.instructions import Json, fen_of, text_of

SCHEMES = ("MEDICAL", "PENSION")
CHECKS = (
    Check.ACKNOWLEDGED,
    Check.NOTHING_INVENTED,
    Check.ONE_BATCH,
    Check.BATCH_TOTALS,
    Check.HANDLING_TOTALS,
    Check.ONE_LIVE_PAYMENT,
    Check.DUES,
    Check.SETTLED,
)

Sum = tuple[int, int]


def check_books(census: Census, book: Book, roster: int) -> None:
    """Carry out every check that compares the API with the partners' book.

    `roster` is the number of dues that were open before the season.
    """
    live = [payment for payment in census.payments if payment["status"] != "REVERSED"]
    _acknowledged(census, book)
    _in_one_batch(census, live, book)
    _totals(census, live, book)
    _one_live_payment(live, book)
    _dues(census, len(live), roster, book)
    _settled(census, book)
    book.findings.performed_all(*CHECKS)


def _acknowledged(census: Census, book: Book) -> None:
    there = {payment["id"]: payment for payment in census.payments}
    if len(there) != len(census.payments):
        book.findings.add(Check.ACKNOWLEDGED, "the pages of payments show a payment twice")
    for known in book.payments.values():
        found = there.get(known.payment_id)
        if found is None:
            book.findings.add(Check.ACKNOWLEDGED, f"{known.reference} is missing")
            continue
        status = "REVERSED" if known.reversed else "SETTLED"
        facts = (
            found["bankReference"],
            found["handlingBank"]["code"],
            found["due"]["id"],
            fen_of(found["amount"]),
        )
        if facts != (known.reference, known.bank_code, known.due_id, known.amount):
            book.findings.add(Check.ACKNOWLEDGED, f"{known.reference} differs from what was acknowledged")
        if found["status"] != status:
            book.findings.add(Check.ACKNOWLEDGED, f"{known.reference} is {found['status']}, not {status}")
        if found["clearingBatch"]["id"] != known.batch_id:
            book.findings.add(Check.ONE_BATCH, f"{known.reference} has moved to another batch")
    for payment_id in there.keys() - book.payments.keys():
        found = there[payment_id]
        detail = f"{found['bankReference']} of bank {found['handlingBank']['code']} was not paid by a partner"
        book.findings.add(Check.NOTHING_INVENTED, detail)


def _in_one_batch(census: Census, live: Iterable[Json], book: Book) -> None:
    batches = {batch["id"]: batch for batch in census.batches}
    listed = Counter(payment_id for members in census.members.values() for payment_id in members)
    homes = {payment_id: batch_id for batch_id, members in census.members.items() for payment_id in members}
    for payment in live:
        reference = payment["bankReference"]
        batch = batches.get(payment["clearingBatch"]["id"])
        if listed[payment["id"]] != 1 or homes.get(payment["id"]) != payment["clearingBatch"]["id"]:
            book.findings.add(
                Check.ONE_BATCH, f"{reference} is listed by {listed[payment['id']]} batches, or a wrong one"
            )
        if batch is None:
            book.findings.add(Check.ONE_BATCH, f"{reference} names a batch that is not there")
        elif (batch["scheme"], batch["clearingBank"]["code"]) != (
            payment["due"]["scheme"],
            payment["clearingBank"]["code"],
        ):
            book.findings.add(
                Check.ONE_BATCH, f"{reference} is in a batch of another scheme or clearing bank"
            )


def _totals(census: Census, live: Iterable[Json], book: Book) -> None:
    per_batch: defaultdict[str, list[int]] = defaultdict(list)
    per_bank: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for payment in live:
        batch_id, amount = payment["clearingBatch"]["id"], fen_of(payment["amount"])
        per_batch[batch_id].append(amount)
        per_bank[batch_id, payment["handlingBank"]["code"]].append(amount)
    stated_per_bank: dict[tuple[str, str], Sum] = {}
    for batch in census.batches:
        _compare(book, Check.BATCH_TOTALS, batch["number"], _stated(batch), _sum(per_batch[batch["id"]]))
        for total in batch["handlingBankTotals"]:
            stated_per_bank[batch["id"], total["bank"]["code"]] = _stated(total)
    for key in per_bank.keys() | stated_per_bank.keys():
        name = f"bank {key[1]} in batch {key[0]}"
        _compare(book, Check.HANDLING_TOTALS, name, stated_per_bank.get(key, (0, 0)), _sum(per_bank[key]))


def _stated(total: Json) -> Sum:
    return int(total["paymentCount"]), fen_of(total["totalAmount"])


def _sum(amounts: list[int]) -> Sum:
    return len(amounts), sum(amounts)


def _compare(book: Book, check: Check, name: str, stated: Sum, summed: Sum) -> None:
    if stated != summed:
        says, is_really = (f"{count} of {text_of(amount)}" for count, amount in (stated, summed))
        book.findings.add(check, f"{name} states {says}, its payments are {is_really}")


def _one_live_payment(live: Iterable[Json], book: Book) -> None:
    per_due = Counter(payment["due"]["id"] for payment in live)
    for due_id, count in per_due.items():
        if count > 1:
            book.findings.add(Check.ONE_LIVE_PAYMENT, f"the due {due_id} has {count} live payments")


def _dues(census: Census, live: int, roster: int, book: Book) -> None:
    expected = {"OPEN": roster - live, "PAID": 0, "SETTLED": live}
    for status, count in expected.items():
        if census.dues[status] != count:
            book.findings.add(Check.DUES, f"{census.dues[status]} dues are {status}, not {count}")


def _settled(census: Census, book: Book) -> None:
    left = {(code, scheme) for code in CLEARING_BANKS for scheme in SCHEMES}
    used = {(batch["clearingBank"]["code"], batch["scheme"]) for batch in census.batches}
    opened = Counter(
        (batch["clearingBank"]["code"], batch["scheme"])
        for batch in census.batches
        if batch["status"] == "OPEN"
    )
    for batch in census.batches:
        if batch["status"] != "SETTLED" and (batch["status"] != "OPEN" or batch["paymentCount"] > 0):
            detail = f"{batch['number']} is {batch['status']} with {batch['paymentCount']} payments"
            book.findings.add(Check.SETTLED, detail)
    for key in (left & used) | opened.keys():
        if opened[key] != 1:
            book.findings.add(Check.SETTLED, f"bank {key[0]} has {opened[key]} open batches of {key[1]}")
