"""What the database itself refuses, on both engines: the last judge.

Migrations create these by their own text; a test reads the catalogue of a migrated database, compares it with
this list, and violates each of them.
"""

from __future__ import annotations

CHECKS: dict[str, tuple[str, str]] = {
    "region_level": ("regions", "level IN ('CITY', 'DISTRICT', 'SUBDISTRICT', 'VILLAGE')"),
    "bank_role": ("banks", "role IN ('CLEARING', 'HANDLING')"),
    "route_period": ("clearing_routes", "valid_until IS NULL OR valid_until > valid_from"),
    "period_scheme": ("collection_periods", "scheme IN ('PENSION', 'MEDICAL')"),
    "period_days": ("collection_periods", "closes_on >= opens_on"),
    "due_personal_amount": ("dues", "personal_amount >= 0"),
    "due_subsidy_amount": ("dues", "subsidy_amount >= 0"),
    "due_amount": ("dues", "personal_amount + subsidy_amount > 0"),
    "due_status": (
        "dues",
        "status IN ('OPEN', 'HELD', 'PAID', 'REFUNDED', 'EXEMPT', 'CANCELLED', 'EXPIRED')",
    ),
    "due_hold": (
        "dues",
        "(status = 'HELD') = (held_by IS NOT NULL) AND (status = 'HELD') = (held_until IS NOT NULL)",
    ),
    "payment_amount": ("payments", "amount > 0"),
    "payment_status": ("payments", "status IN ('ACCEPTED', 'REVERSED', 'REFUNDED')"),
    "payment_reference": ("payments", "bank_reference <> ''"),
    "batch_status": (
        "clearing_batches",
        "status IN ('OPEN', 'CUT', 'BALANCED', 'UNBALANCED', 'REMITTED', 'SETTLED')",
    ),
    "batch_scheme": ("clearing_batches", "scheme IN ('PENSION', 'MEDICAL')"),
    "batch_totals": (
        "clearing_batches",
        "payment_count >= 0 AND total_amount >= 0 AND receipts_issued >= payment_count",
    ),
    "handling_totals": ("handling_bank_totals", "payment_count >= 0 AND total_amount >= 0"),
    "transfer_amount": ("transfers", "amount > 0"),
    "transfer_accounts": ("transfers", "debit_account <> credit_account"),
    "demonstration_single": ("demonstration", "id = 1"),
}

UNIQUE_INDEXES: dict[str, str] = {
    "one_bank_for_newcomers": "banks (clears_for_newcomers) WHERE clears_for_newcomers",
    "one_route_per_day": "clearing_routes (handling_bank_id, valid_from)",
    "one_period_per_scheme_and_year": "collection_periods (scheme, benefit_year)",
    "one_payer_per_id_number": "payers (id_number_lookup)",
    "one_due_per_payer_and_period": "dues (payer_id, period_id)",
    "one_live_payment_per_due": "payments (due_id) WHERE status = 'ACCEPTED'",
    "one_payment_per_bank_reference": "payments (bank_reference, handling_bank_id)",
    "one_payment_per_receipt": "payments (receipt_number)",
    "one_open_batch": "clearing_batches (clearing_bank_id, scheme) WHERE status = 'OPEN'",
    "one_batch_per_sequence": "clearing_batches (clearing_bank_id, scheme, business_date, sequence)",
    "one_total_per_handling_bank": "handling_bank_totals (clearing_batch_id, handling_bank_id)",
}

INDEXES: dict[str, str] = {
    "payers_by_region": "payers (region_id, id)",
    "payers_by_household": "payers (household_id)",
    "dues_by_period": "dues (period_id, status, id)",
    "payments_by_batch": "payments (clearing_batch_id, id)",
    "payments_by_handling_bank": "payments (handling_bank_id, id)",
    "payments_by_due": "payments (due_id)",
    "batches_by_day": "clearing_batches (business_date)",
    "state_changes_by_object": "state_changes (object_id)",
    "transfers_by_cause": "transfers (cause_id)",
}

IMMUTABLE_TABLES = ("transfers", "state_changes")
