"""The first tables: regions, banks, payers, dues, payments, clearing, books, news.

Order matters on SQLite: a CHECK remakes its table and loses what was added before it, so tables come first,
then CHECKs, then indexes, then triggers.
"""

from __future__ import annotations

from typing import Any

from tortoise import fields, migrations
from tortoise.migrations import operations as ops
from tortoise.migrations.constraints import CheckConstraint

RESTRICT = fields.OnDelete.RESTRICT


def key() -> Any:
    return fields.UUIDField(primary_key=True)


def reference(to: str, related_name: str, null: bool = False) -> Any:
    options: dict[str, Any] = {"related_name": related_name, "null": null, "on_delete": RESTRICT}
    return fields.ForeignKeyField(f"premia.{to}", **options)


def text(length: int, **options: Any) -> Any:
    return fields.CharField(max_length=length, **options)


TABLES: list[Any] = [
    ops.CreateModel(
        "Region",
        [
            ("id", key()),
            ("code", text(12, unique=True)),
            ("name", text(100)),
            ("level", text(12)),
            ("parent", reference("Region", "children", null=True)),
            ("path", text(60, unique=True)),
            ("former_codes", text(200, default="")),
        ],
        options={"table": "regions"},
    ),
    ops.CreateModel(
        "Bank",
        [
            ("id", key()),
            ("code", text(12, unique=True)),
            ("name", text(100)),
            ("name_english", text(100)),
            ("role", text(10)),
            ("clears_for_newcomers", fields.BooleanField(default=False)),
        ],
        options={"table": "banks"},
    ),
    ops.CreateModel(
        "ClearingRoute",
        [
            ("id", key()),
            ("handling_bank", reference("Bank", "routes")),
            ("clearing_bank", reference("Bank", "cleared_routes")),
            ("valid_from", fields.DateField()),
            ("valid_until", fields.DateField(null=True)),
        ],
        options={"table": "clearing_routes"},
    ),
    ops.CreateModel(
        "CollectionPeriod",
        [
            ("id", key()),
            ("scheme", text(8)),
            ("benefit_year", fields.IntField()),
            ("opens_on", fields.DateField()),
            ("closes_on", fields.DateField()),
        ],
        options={"table": "collection_periods"},
    ),
    ops.CreateModel(
        "Payer",
        [
            ("id", key()),
            ("name", text(60)),
            ("id_number", fields.BinaryField()),
            ("id_number_lookup", fields.BinaryField()),
            ("phone", fields.BinaryField(null=True)),
            ("household_id", fields.UUIDField()),
            ("region", reference("Region", "payers")),
        ],
        options={"table": "payers"},
    ),
    ops.CreateModel(
        "Due",
        [
            ("id", key()),
            ("payer", reference("Payer", "dues")),
            ("period", reference("CollectionPeriod", "dues")),
            ("category", text(30)),
            ("personal_amount", fields.BigIntField()),
            ("subsidy_amount", fields.BigIntField()),
            ("status", text(10, default="OPEN")),
            ("held_by", text(60, null=True)),
            ("held_until", fields.DatetimeField(null=True)),
        ],
        options={"table": "dues"},
    ),
    ops.CreateModel(
        "ClearingBatch",
        [
            ("id", key()),
            ("number", text(30, unique=True)),
            ("clearing_bank", reference("Bank", "clearing_batches")),
            ("scheme", text(8)),
            ("business_date", fields.DateField()),
            ("sequence", fields.IntField()),
            ("status", text(10)),
            ("payment_count", fields.BigIntField(default=0)),
            ("total_amount", fields.BigIntField(default=0)),
            ("receipts_issued", fields.BigIntField(default=0)),
            ("opened_at", fields.DatetimeField()),
            ("cut_at", fields.DatetimeField(null=True)),
            ("confirmed_at", fields.DatetimeField(null=True)),
            ("confirmed_count", fields.BigIntField(null=True)),
            ("confirmed_amount", fields.BigIntField(null=True)),
            ("remitted_at", fields.DatetimeField(null=True)),
            ("remitted_by", text(100, null=True)),
            ("remittance_reference", text(64, null=True)),
            ("settled_at", fields.DatetimeField(null=True)),
            ("treasury_reference", text(64, null=True)),
        ],
        options={"table": "clearing_batches"},
    ),
    ops.CreateModel(
        "HandlingBankTotal",
        [
            ("id", key()),
            ("clearing_batch", reference("ClearingBatch", "handling_bank_totals")),
            ("handling_bank", reference("Bank", "handling_bank_totals")),
            ("payment_count", fields.BigIntField()),
            ("total_amount", fields.BigIntField()),
        ],
        options={"table": "handling_bank_totals"},
    ),
    ops.CreateModel(
        "Payment",
        [
            ("id", key()),
            ("due", reference("Due", "payments")),
            ("amount", fields.BigIntField()),
            ("channel", text(20)),
            ("status", text(10)),
            ("handling_bank", reference("Bank", "payments")),
            ("clearing_batch", reference("ClearingBatch", "payments")),
            ("bank_reference", text(64)),
            ("collection_point_code", text(30, null=True)),
            ("paid_at", fields.DatetimeField()),
            ("accepted_at", fields.DatetimeField()),
            ("receipt_number", text(30)),
        ],
        options={"table": "payments"},
    ),
    ops.CreateModel(
        "StateChange",
        [
            ("id", key()),
            ("object_type", text(30)),
            ("object_id", fields.UUIDField()),
            ("from_state", text(20)),
            ("to_state", text(20)),
            ("occurred_at", fields.DatetimeField()),
            ("actor", text(100)),
            ("reason", text(200)),
        ],
        options={"table": "state_changes"},
    ),
    ops.CreateModel(
        "Transfer",
        [
            ("id", key()),
            ("debit_account", text(40)),
            ("credit_account", text(40)),
            ("amount", fields.BigIntField()),
            ("kind", text(20)),
            ("cause_id", fields.UUIDField()),
            ("occurred_at", fields.DatetimeField()),
        ],
        options={"table": "transfers"},
    ),
    ops.CreateModel(
        "OutboxEvent",
        [
            ("sequence", fields.BigIntField(primary_key=True, generated=True)),
            ("kind", text(20)),
            ("subject_id", fields.UUIDField()),
            ("occurred_at", fields.DatetimeField()),
            ("payload", fields.TextField()),
        ],
        options={"table": "outbox_events"},
    ),
    ops.CreateModel(
        "Demonstration",
        [
            ("id", fields.IntField(primary_key=True, generated=False)),
            ("seed", fields.BigIntField()),
            ("payers", fields.IntField()),
            ("starts_at", fields.DatetimeField()),
            ("made_at", fields.DatetimeField()),
            ("pace", text(20)),
            ("signing_key", text(100, null=True)),
            ("personal_data_keys", text(300, null=True)),
        ],
        options={"table": "demonstration"},
    ),
    ops.CreateModel(
        "RosterImport",
        [
            ("id", key()),
            ("content_hash", text(64, unique=True)),
            ("benefit_year", fields.IntField()),
            ("lines_done", fields.BigIntField(default=0)),
            ("accepted_count", fields.BigIntField(default=0)),
            ("refused_count", fields.BigIntField(default=0)),
            ("source_bytes", fields.BigIntField(default=0)),
            ("result_bytes", fields.BigIntField(default=0)),
            ("finished", fields.BooleanField(default=False)),
            ("started_at", fields.DatetimeField()),
        ],
        options={"table": "roster_imports"},
    ),
]

CHECKS: list[tuple[str, str, str]] = [
    ("Region", "region_level", "level IN ('CITY', 'DISTRICT', 'SUBDISTRICT', 'VILLAGE')"),
    ("Bank", "bank_role", "role IN ('CLEARING', 'HANDLING')"),
    ("ClearingRoute", "route_period", "valid_until IS NULL OR valid_until > valid_from"),
    ("CollectionPeriod", "period_scheme", "scheme IN ('PENSION', 'MEDICAL')"),
    ("CollectionPeriod", "period_days", "closes_on >= opens_on"),
    ("Due", "due_personal_amount", "personal_amount >= 0"),
    ("Due", "due_subsidy_amount", "subsidy_amount >= 0"),
    ("Due", "due_amount", "personal_amount + subsidy_amount > 0"),
    (
        "Due",
        "due_status",
        "status IN ('OPEN', 'HELD', 'PAID', 'REFUNDED', 'EXEMPT', 'CANCELLED', 'EXPIRED')",
    ),
    (
        "Due",
        "due_hold",
        "(status = 'HELD') = (held_by IS NOT NULL) AND (status = 'HELD') = (held_until IS NOT NULL)",
    ),
    ("Payment", "payment_amount", "amount > 0"),
    ("Payment", "payment_status", "status IN ('ACCEPTED', 'REVERSED', 'REFUNDED')"),
    ("Payment", "payment_reference", "bank_reference <> ''"),
    (
        "ClearingBatch",
        "batch_status",
        "status IN ('OPEN', 'CUT', 'BALANCED', 'UNBALANCED', 'REMITTED', 'SETTLED')",
    ),
    ("ClearingBatch", "batch_scheme", "scheme IN ('PENSION', 'MEDICAL')"),
    (
        "ClearingBatch",
        "batch_totals",
        "payment_count >= 0 AND total_amount >= 0 AND receipts_issued >= payment_count",
    ),
    ("HandlingBankTotal", "handling_totals", "payment_count >= 0 AND total_amount >= 0"),
    ("Transfer", "transfer_amount", "amount > 0"),
    ("Transfer", "transfer_accounts", "debit_account <> credit_account"),
    ("Demonstration", "demonstration_single", "id = 1"),
]

UNIQUE_INDEXES: list[tuple[str, str]] = [
    ("one_bank_for_newcomers", "banks (clears_for_newcomers) WHERE clears_for_newcomers"),
    ("one_route_per_day", "clearing_routes (handling_bank_id, valid_from)"),
    ("one_period_per_scheme_and_year", "collection_periods (scheme, benefit_year)"),
    ("one_payer_per_id_number", "payers (id_number_lookup)"),
    ("one_due_per_payer_and_period", "dues (payer_id, period_id)"),
    ("one_live_payment_per_due", "payments (due_id) WHERE status = 'ACCEPTED'"),
    ("one_payment_per_bank_reference", "payments (bank_reference, handling_bank_id)"),
    ("one_payment_per_receipt", "payments (receipt_number)"),
    ("one_open_batch", "clearing_batches (clearing_bank_id, scheme) WHERE status = 'OPEN'"),
    ("one_batch_per_sequence", "clearing_batches (clearing_bank_id, scheme, business_date, sequence)"),
    ("one_total_per_handling_bank", "handling_bank_totals (clearing_batch_id, handling_bank_id)"),
]

INDEXES: list[tuple[str, str]] = [
    ("payers_by_region", "payers (region_id, id)"),
    ("payers_by_household", "payers (household_id)"),
    ("dues_by_period", "dues (period_id, status, id)"),
    ("payments_by_batch", "payments (clearing_batch_id, id)"),
    ("payments_by_handling_bank", "payments (handling_bank_id, id)"),
    ("payments_by_due", "payments (due_id)"),
    ("batches_by_day", "clearing_batches (business_date)"),
    ("state_changes_by_object", "state_changes (object_id)"),
    ("transfers_by_cause", "transfers (cause_id)"),
]

IMMUTABLE_TABLES = ("transfers", "state_changes")

POSTGRES_FORWARD = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are immutable', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE FUNCTION announce_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('premia_outbox', '');
    RETURN NULL;
END $$;
CREATE FUNCTION order_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(20190901);
    RETURN NULL;
END $$;
CREATE TRIGGER in_order BEFORE INSERT ON outbox_events FOR EACH STATEMENT EXECUTE FUNCTION order_events();
CREATE TRIGGER announce AFTER INSERT ON outbox_events FOR EACH STATEMENT EXECUTE FUNCTION announce_events();
"""
POSTGRES_BACK = """
DROP TRIGGER announce ON outbox_events;
DROP TRIGGER in_order ON outbox_events;
DROP FUNCTION announce_events();
DROP FUNCTION order_events();
DROP FUNCTION refuse_change() CASCADE;
"""


def immutable(table: str, postgres: bool) -> str:
    if postgres:
        return (
            f"CREATE TRIGGER {table}_immutable BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change();"
            f"CREATE TRIGGER {table}_kept BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();"
        )
    return "".join(
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} BEGIN"
        f" SELECT RAISE(ABORT, 'rows of {table} are immutable'); END;"
        for verb in ("UPDATE", "DELETE")
    )


async def add_triggers(_apps: Any, editor: Any) -> None:
    postgres = editor.client.capabilities.dialect == "postgres"
    script = POSTGRES_FORWARD if postgres else ""
    await editor.client.execute_script(
        script + "".join(immutable(table, postgres) for table in IMMUTABLE_TABLES)
    )


async def drop_triggers(_apps: Any, editor: Any) -> None:
    if editor.client.capabilities.dialect == "postgres":
        await editor.client.execute_script(POSTGRES_BACK)
        return
    for table in IMMUTABLE_TABLES:
        for verb in ("update", "delete"):
            await editor.client.execute_script(f"DROP TRIGGER {table}_no_{verb};")


class Migration(migrations.Migration):
    initial = True

    operations = [
        *TABLES,
        *(ops.AddConstraint(model, CheckConstraint(check=check, name=name)) for model, name, check in CHECKS),
        *(
            ops.RunSQL(f"CREATE UNIQUE INDEX {name} ON {definition}", reverse_sql=f"DROP INDEX {name}")
            for name, definition in UNIQUE_INDEXES
        ),
        *(
            ops.RunSQL(f"CREATE INDEX {name} ON {definition}", reverse_sql=f"DROP INDEX {name}")
            for name, definition in INDEXES
        ),
        ops.RunPython(add_triggers, drop_triggers),
    ]
