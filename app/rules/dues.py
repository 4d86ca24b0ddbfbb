"""What is owed, and when it may be paid."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from app.rules.refusals import ErrorCode, Refused
from app.rules.registry import rule

MINIMUM_PENSION_AGE = 16
MAXIMUM_PENSION_AGE = 59
# A bank may report until then what it took within the period (assumed).
REPORTING_GRACE = timedelta(days=10)

MedicalRates = Mapping[tuple[int, str], int]


@rule(
    "R05",
    zh="医疗保险费按年度和人员类别查表；表中没有的年度一律拒绝，不作推算。",
    en="The medical due is looked up by benefit year and category; a year that is not in the table is refused, never guessed.",
    source="municipal notices of each year's rates",
    configurable=True,
)
def medical_amount(rates: MedicalRates, benefit_year: int, category: str) -> int | Refused:
    """Fen for a benefit year and category."""
    amount = rates.get((benefit_year, category))
    if amount is None:
        facts: dict[str, str | int] = {"benefitYear": benefit_year, "category": category}
        return Refused(ErrorCode.DUE_NOT_PAYABLE, rule="R05", field="category", facts=facts)
    return amount


@rule(
    "R15",
    zh="养老保险缴费须选自档次表；100 元档仅限重度残疾等特定人群。",
    en="A pension contribution is one of the tiers; the tier of 100 yuan is only for the severely disabled and similar groups.",
    source="Shandong resident pension rules",
    configurable=True,
)
def pension_tier(restricted: Mapping[int, bool], tier: int, special_group: bool) -> int | Refused:
    """The tier in fen. `restricted`: each tier, and whether it is for special groups only."""
    if tier not in restricted or (restricted[tier] and not special_group):
        return Refused(ErrorCode.TIER_NOT_ALLOWED, rule="R15", field="tier", facts={"tier": tier})
    return tier


def age_on(born: date, day: date) -> int:
    """Full years of age on a day."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


@rule(
    "R21",
    zh="养老保险参保年龄为当日年满 16 周岁、未满 60 周岁。",
    en="Pension is for people who are 16 to 59 years old on the day.",
    source="configurable: national resident pension rules",
    configurable=True,
)
def pension_age(born: date, day: date) -> Refused | None:
    """Refused outside 16 to 59 full years on `day`."""
    age = age_on(born, day)
    if MINIMUM_PENSION_AGE <= age <= MAXIMUM_PENSION_AGE:
        return None
    return Refused(ErrorCode.DUE_NOT_PAYABLE, rule="R21", field="idNumber", facts={"age": age})


@rule(
    "R37",
    zh="只能在集中缴费期内缴费；期内已收的款项可在期满后 10 日内补报。",
    en="A payment lies within its collection period; what was taken within it may be reported up to 10 days after.",
    source="configurable: notice of each season",
    configurable=True,
)
def within_period(opens_on: date, closes_on: date, paid_on: date, today: date) -> Refused | None:
    """Refused when the money was taken, or is reported, outside the period."""
    if opens_on <= paid_on <= closes_on and today <= closes_on + REPORTING_GRACE:
        return None
    facts: dict[str, str | int] = {"opensOn": opens_on.isoformat(), "closesOn": closes_on.isoformat()}
    return Refused(ErrorCode.OUTSIDE_COLLECTION_PERIOD, rule="R37", field="paidAt", facts=facts)


@rule(
    "R08",
    zh="半额资助：个人与政府各付一半，多出的一分由政府承担。",
    en="Half subsidised: the person and government pay half each; government takes the odd fen.",
    source="medical assistance rules",
)
def split_half(amount: int) -> tuple[int, int]:
    """(personal, subsidy) in fen; they always add up to `amount`."""
    personal = amount // 2
    return personal, amount - personal
