"""Sentences: every refusal that a rule really makes can be said in both languages, with its facts and no more."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from app.rules import clearing, dues, identity, money, payments, regions
from app.rules.refusals import ErrorCode, Refused
from app.rules.registry import RULES
from app.vocabulary import ClearingBatchStatus, DueStatus, PaymentStatus
from schema.messages import CHINESE, ENGLISH, message
from tests.client import House

INSTANT = datetime(2019, 10, 8, 2, 0, tzinfo=UTC)
LANGUAGES = ("en", "zh-CN")


def _due(status: DueStatus, **facts: Any) -> Any:
    values = {"personal_amount": 39_500, "held_by": None, "held_until": None, **facts}
    return SimpleNamespace(status=status, **values)


def _recording(amount: int) -> Any:
    facts: dict[str, Any] = {"due_id": None, "channel": None, "paid_at": None, "collection_point_code": None}
    return SimpleNamespace(amount=amount, **facts)


def emitted() -> list[Refused]:
    """What the rules answer when they refuse, each way that they have."""
    answers: list[object] = [
        identity.parse_id_number("1"),
        money.parse_money("1"),
        payments.readable_reference(""),
        payments.readable_collection_point(""),
        payments.readable_reason(""),
        payments.not_in_the_future(INSTANT.replace(year=2020), INSTANT),
        payments.paid_in_full(1, _due(DueStatus.OPEN)),
        payments.something_to_pay(_due(DueStatus.EXEMPT, personal_amount=0)),
        payments.due_is_free(_due(DueStatus.PAID), INSTANT),
        payments.due_is_free(
            _due(DueStatus.HELD, held_by="order 7", held_until=INSTANT.replace(year=2020)), INSTANT
        ),
        payments.due_is_free(_due(DueStatus.CANCELLED), INSTANT),
        payments.reference_conflict(_recording(39_500), _recording(100)),
        payments.may_reverse(PaymentStatus.REVERSED, ClearingBatchStatus.OPEN),
        payments.may_reverse(PaymentStatus.ACCEPTED, ClearingBatchStatus.CUT),
        dues.medical_amount({}, 2030, "ADULT"),
        dues.pension_tier({}, 1, special_group=False),
        dues.pension_age(date(2010, 1, 1), date(2019, 10, 8)),
        dues.within_period(date(2019, 9, 1), date(2019, 12, 31), date(2020, 1, 1), date(2020, 1, 1)),
        regions.resolve_region({}, "1"),
        clearing.move_refused(ClearingBatchStatus.OPEN, ClearingBatchStatus.SETTLED),
        clearing.move_refused(ClearingBatchStatus.UNBALANCED, ClearingBatchStatus.BALANCED),
        clearing.second_person("officer-1", "officer-1"),
        clearing.credited_in_full(39_500, 1),
        Refused(ErrorCode.NOT_FOUND, field="dueId"),
        Refused(ErrorCode.INVALID_TIME, field="paidAt"),
    ]
    assert all(isinstance(answer, Refused) for answer in answers)
    return cast("list[Refused]", answers)


# No rule refuses with these yet: their sentences must need no facts.
UNUSED = set(ErrorCode) - {refused.code for refused in emitted()}
EVERY = [*emitted(), *(Refused(code) for code in sorted(UNUSED))]


@pytest.mark.parametrize("refused", EVERY, ids=lambda refused: f"{refused.code.value}-{refused.rule}")
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_refusal_is_one_whole_sentence_and_lacks_no_fact(refused: Refused, language: str) -> None:
    sentence = message(refused, language)

    assert sentence.endswith("." if language == "en" else "。")
    assert not re.search(r"[{}]", sentence)
    assert "None" not in sentence
    assert bool(re.search(r"[\u4e00-\u9fff]", sentence)) is (language == "zh-CN")


@pytest.mark.parametrize("table", [ENGLISH, CHINESE], ids=LANGUAGES)
def test_every_code_has_a_sentence_and_no_two_share_one(table: dict[ErrorCode, str]) -> None:
    assert table.keys() == set(ErrorCode)
    assert len(set(table.values())) == len(ErrorCode)


@pytest.mark.parametrize("code", ErrorCode)
def test_both_languages_tell_the_same_facts_and_neither_more(code: ErrorCode) -> None:
    facts = [set(re.findall(r"{(\w+)}", table[code])) for table in (ENGLISH, CHINESE)]

    assert facts[0] == facts[1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_amounts_are_told_in_yuan_and_not_in_fen(language: str) -> None:
    refused = Refused(ErrorCode.AMOUNT_MISMATCH, facts={"expected": 39_500, "got": 39_499})

    sentence = message(refused, language)

    assert "395.00" in sentence
    assert "394.99" in sentence
    assert "39500" not in sentence


RULE = "query($id: String!) { explainRule(id: $id) { id text source configurable } }"


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
async def test_each_rule_is_explained_in_both_languages_and_to_everybody_not_only_to_callers_with_a_token(
    house: House, rule: Any
) -> None:
    english = (await house.data(None, RULE, language="en", id=rule.id))["explainRule"]
    chinese = (await house.data(None, RULE, language="zh-CN", id=rule.id))["explainRule"]

    assert english == {
        "id": rule.id, "text": rule.text_en, "source": rule.source, "configurable": rule.configurable,
    }  # fmt: skip
    assert chinese["text"] == rule.text_zh
    assert re.search(r"[\u4e00-\u9fff]", chinese["text"])
    assert not re.search(r"[\u4e00-\u9fff]", english["text"])


@pytest.mark.parametrize("rule_id", ["", "R99", "r07", "R07 "])
async def test_a_rule_that_there_is_not_is_not_explained(house: House, rule_id: str) -> None:
    assert await house.data(None, RULE, id=rule_id) == {"explainRule": None}


def test_every_rule_that_a_refusal_names_can_be_explained_and_none_is_unknown() -> None:
    named = {refused.rule for refused in emitted() if refused.rule}

    assert named <= RULES.keys()


@pytest.mark.parametrize(
    ("language", "beginning"),
    [("en", "This due"), ("zh-CN", "该笔应缴"), ("fr", "该笔应缴"), ("en;q=0.9, zh;q=0.1", "This due")],
)
async def test_a_refusal_is_said_in_the_language_that_was_asked_for_and_in_no_other(
    house: House, language: str, beginning: str
) -> None:
    from tests.builders import bank_principal
    from tests.schema.test_recording import ONE, item

    due = await house.office.due(status=DueStatus.CANCELLED)

    answer = await house.ask(bank_principal("103"), ONE, language=language, input=item(due))

    assert answer.data is not None
    [error] = answer.data["recordPayment"]["userErrors"]
    assert error["message"].startswith(beginning)
