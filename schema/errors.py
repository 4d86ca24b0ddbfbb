"""UserError: a refusal as clients see it."""

from __future__ import annotations

from collections.abc import Sequence

import strawberry

from app.rules.refusals import ErrorCode, Refused
from schema.context import Context
from schema.enumerations import described
from schema.messages import message

described(
    ErrorCode,
    "Why an item was refused. Stable and machine-readable.",
    {
        "NOT_FOUND": "It does not exist, or is not yours to see.",
        "INVALID_ID_NUMBER": "Not a citizen id number with a real date and check character.",
        "INVALID_ACCOUNT": "Not an account number.",
        "INVALID_AMOUNT": 'Not text with exactly two decimals: "395.00".',
        "INVALID_REFERENCE": "A reference is empty, too long or not printable.",
        "INVALID_TIME": "Not an instant with an offset, or in the future.",
        "INVALID_REASON": "A reason is empty, too long or not printable.",
        "INVALID_VALUE": "A value that cannot be used here.",
        "FAULTY_ITEM": "A fault inside hit this item of a list alone; it was logged, the other items stand.",
        "AMOUNT_MISMATCH": "Not the amount that is owed.",
        "DUE_ALREADY_PAID": "Another payment stands for this due.",
        "DUE_HELD": "An order, a debit run or a roster holds this due: try again when the hold has ended.",
        "DUE_NOT_PAYABLE": "Exempt, cancelled, expired, refunded, or nothing to pay.",
        "OUTSIDE_COLLECTION_PERIOD": "Taken, or reported, outside the collection period.",
        "TIER_NOT_ALLOWED": "Not one of the tiers, or not for this person.",
        "YEARLY_CAP_EXCEEDED": "More than a year's highest tier.",
        "REFERENCE_CONFLICT": "The reference was already used with other content.",
        "AGREEMENT_EXISTS": "A valid agreement stands already.",
        "AGREEMENT_NOT_ACTIVE": "The agreement is not in force.",
        "ILLEGAL_TRANSITION": "The present state does not allow this step.",
        "BATCH_NOT_OPEN": "The clearing batch has been cut.",
        "BATCH_UNBALANCED": "The clearing bank's totals differ: only its differences move the batch on.",
        "REFUND_NOT_ALLOWED": "No listed reason, too late, or more than was paid.",
        "SECOND_PERSON_REQUIRED": "Another person must do this step.",
        "ROSTER_INVALID": "A member of the roster cannot be paid for.",
        "FUNDING_MISMATCH": "The funding is not the roster's total.",
        "FILE_QUARANTINED": "The file was put aside.",
    },
)


@strawberry.type(
    description="A refusal by a collection rule or by bad input. It is data, not a GraphQL error: nothing was recorded "
    "for the item that it stands on. Authentication, authorization, limits and faults are GraphQL errors "
    "with extensions.code."
)
class UserError:
    """A refusal."""

    code: ErrorCode = strawberry.field(description="Stable and machine-readable: DUE_ALREADY_PAID.")
    message: str = strawberry.field(
        description="One sentence for a person, in the language of Accept-Language (zh-CN or en)."
    )
    field: list[str] | None = strawberry.field(
        description='Path of the input value at fault: ["payments", "3", "amount"].'
    )
    rule: str | None = strawberry.field(
        description='Id of the collection rule that refused, where one did: "R07". '
        "explainRule(id) tells its text and source."
    )


def user_error(refused: Refused, context: Context, path: Sequence[str] = ()) -> UserError:
    """The refusal of the item at `path` within the input."""
    field = [*path, refused.field] if refused.field else (list(path) or None)
    return UserError(
        code=refused.code, message=message(refused, context.language), field=field, rule=refused.rule
    )
