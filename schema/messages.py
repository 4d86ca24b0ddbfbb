"""Sentences for refusals, in the reader's language. The facts are the refusal's own; amounts are shown in yuan."""

from __future__ import annotations

from app.rules.money import format_money
from app.rules.refusals import ErrorCode, Refused

AMOUNT_FACTS = frozenset({"expected", "got", "recorded", "offered"})

ENGLISH: dict[ErrorCode, str] = {
    ErrorCode.NOT_FOUND: "There is nothing with this id that you may see.",
    ErrorCode.INVALID_ID_NUMBER: "This is not a valid citizen id number: 18 characters, a real date, a right check.",
    ErrorCode.INVALID_ACCOUNT: "This is not a valid account number.",
    ErrorCode.INVALID_AMOUNT: 'The amount must be text with exactly two decimals, like "395.00".',
    ErrorCode.INVALID_REFERENCE: "A reference has 1 to {limit} printable characters and no space at its ends.",
    ErrorCode.INVALID_TIME: "An instant is ISO 8601 with an offset, 2019-10-08T10:00:00+08:00, and not in the future.",
    ErrorCode.INVALID_REASON: "A reason has 1 to {limit} printable characters.",
    ErrorCode.INVALID_VALUE: "This value cannot be used here.",
    ErrorCode.FAULTY_ITEM: "A fault inside kept this item from being recorded; the other items stand.",
    ErrorCode.AMOUNT_MISMATCH: "The amount must be {expected} yuan, not {got} yuan.",
    ErrorCode.DUE_ALREADY_PAID: "This due has already been paid.",
    ErrorCode.DUE_HELD: "This due is held by {heldBy} until {heldUntil}.",
    ErrorCode.DUE_NOT_PAYABLE: "This due cannot be paid.",
    ErrorCode.OUTSIDE_COLLECTION_PERIOD: "The payment lies outside the collection period from {opensOn} to {closesOn}.",
    ErrorCode.TIER_NOT_ALLOWED: "This tier is not open to this person.",
    ErrorCode.YEARLY_CAP_EXCEEDED: "This is more than may be contributed in a year.",
    ErrorCode.REFERENCE_CONFLICT: "This reference was already used for a payment of {recorded} yuan; "
    "now it comes with {offered} yuan. Differing: {differing}.",
    ErrorCode.AGREEMENT_EXISTS: "There is already a valid agreement.",
    ErrorCode.AGREEMENT_NOT_ACTIVE: "The agreement is not active.",
    ErrorCode.ILLEGAL_TRANSITION: "The present state does not allow this step.",
    ErrorCode.BATCH_NOT_OPEN: "The clearing batch has been cut: the payment can no longer be reversed.",
    ErrorCode.BATCH_UNBALANCED: "The totals of this batch do not agree: it goes on only through its differences.",
    ErrorCode.REFUND_NOT_ALLOWED: "This refund is not allowed.",
    ErrorCode.SECOND_PERSON_REQUIRED: "Another person must do this step.",
    ErrorCode.ROSTER_INVALID: "The roster holds members that cannot be paid for.",
    ErrorCode.FUNDING_MISMATCH: "The funding does not equal the roster's total.",
    ErrorCode.FILE_QUARANTINED: "The file has been put aside and was not applied.",
}

CHINESE: dict[ErrorCode, str] = {
    ErrorCode.NOT_FOUND: "没有您可以查看的该编号记录。",
    ErrorCode.INVALID_ID_NUMBER: "公民身份号码无效：应为 18 位，日期真实，校验码正确。",
    ErrorCode.INVALID_ACCOUNT: "账号无效。",
    ErrorCode.INVALID_AMOUNT: "金额须为带两位小数的文本，例如 “395.00”。",
    ErrorCode.INVALID_REFERENCE: "流水号须为 1 至 {limit} 个可打印字符，首尾不得有空格。",
    ErrorCode.INVALID_TIME: "时间须为带时区的 ISO 8601 格式，例如 2019-10-08T10:00:00+08:00，且不得晚于当前时间。",
    ErrorCode.INVALID_REASON: "原因须为 1 至 {limit} 个可打印字符。",
    ErrorCode.INVALID_VALUE: "此处不能使用该值。",
    ErrorCode.FAULTY_ITEM: "系统内部故障，该项未记录；其余各项有效。",
    ErrorCode.AMOUNT_MISMATCH: "金额应为 {expected} 元，而不是 {got} 元。",
    ErrorCode.DUE_ALREADY_PAID: "该笔应缴已缴清。",
    ErrorCode.DUE_HELD: "该笔应缴已由 {heldBy} 锁定至 {heldUntil}。",
    ErrorCode.DUE_NOT_PAYABLE: "该笔应缴不可缴费。",
    ErrorCode.OUTSIDE_COLLECTION_PERIOD: "缴费不在集中缴费期 {opensOn} 至 {closesOn} 内。",
    ErrorCode.TIER_NOT_ALLOWED: "该人员不能选择此档次。",
    ErrorCode.YEARLY_CAP_EXCEEDED: "超过年度缴费上限。",
    ErrorCode.REFERENCE_CONFLICT: "该流水号已用于一笔 {recorded} 元的缴费，本次为 {offered} 元。不一致项：{differing}。",
    ErrorCode.AGREEMENT_EXISTS: "已有有效协议。",
    ErrorCode.AGREEMENT_NOT_ACTIVE: "协议未生效。",
    ErrorCode.ILLEGAL_TRANSITION: "当前状态不允许此操作。",
    ErrorCode.BATCH_NOT_OPEN: "清算批次已截止，不能再冲正。",
    ErrorCode.BATCH_UNBALANCED: "该批次总额不符，须先处理差异。",
    ErrorCode.REFUND_NOT_ALLOWED: "不允许此退费。",
    ErrorCode.SECOND_PERSON_REQUIRED: "此步骤须由另一人办理。",
    ErrorCode.ROSTER_INVALID: "名册中有不能代缴的成员。",
    ErrorCode.FUNDING_MISMATCH: "到账金额与名册总额不符。",
    ErrorCode.FILE_QUARANTINED: "文件已隔离，未处理。",
}


def message(refused: Refused, language: str) -> str:
    """One sentence for a person."""
    table = ENGLISH if language == "en" else CHINESE
    facts = {
        name: format_money(value) if name in AMOUNT_FACTS and isinstance(value, int) else value
        for name, value in refused.facts.items()
    }
    return table[refused.code].format(**facts)
