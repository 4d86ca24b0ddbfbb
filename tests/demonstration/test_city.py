from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from app.demonstration import production
from app.demonstration.city import CityExists, CitySummary, make_city, sample_payer_id_number
from app.demonstration.identities import SYNTHETIC_ADDRESS_CODE, SYNTHETIC_PHONE_RANGE
from app.demonstration.production import MakingFailed
from app.personal_data import PersonalDataKeys
from app.reference import tables
from app.rules.dues import age_on
from app.rules.identity import birth_date, parse_id_number, parse_phone
from models.database import reading, transaction

KEYS = PersonalDataKeys.parse(f"lookup:{'ab' * 32},1:{'cd' * 32}")
DAY = date(2019, 10, 8)
TABLES = ("regions", "banks", "clearing_routes", "collection_periods", "dues")


def ignore(_made: int, _payers: int) -> None:
    """Progress that nobody looks at."""


async def make(
    payers: int = 600, seed: int = 7, pace: float = 1.0, progress: Callable[[int, int], None] = ignore
) -> CitySummary:
    return await make_city(
        payers=payers,
        seed=seed,
        pace=pace,
        keys=KEYS,
        carried_signing_key=None,
        carried_personal_data_keys=None,
        progress=progress,
    )


async def rows(sql: str, *values: Any) -> list[Any]:
    async with reading() as session:
        return list(await session.fetch(sql, *values))


async def number(sql: str, *values: Any) -> int:
    [row] = await rows(sql, *values)
    return int(row[0])


async def clear() -> None:
    async with transaction() as session:
        for table in ("demonstration", "dues", "payers", "clearing_batches", "collection_periods"):
            await session.execute(f"DELETE FROM {table}")
        await session.execute("DELETE FROM clearing_routes")
        await session.execute("DELETE FROM banks")
        for level in ("VILLAGE", "SUBDISTRICT", "DISTRICT", "CITY"):
            await session.execute("DELETE FROM regions WHERE level = $1", level)


async def picture() -> dict[str, list[tuple[Any, ...]]]:
    """All rows; of people what their ciphertexts hold instead of these; batches without their ids."""
    seen = {
        table: [tuple(row) for row in await rows(f"SELECT * FROM {table} ORDER BY id")] for table in TABLES
    }
    seen["payers"] = [
        (
            *(row["id"], row["name"], row["household_id"], row["region_id"], bytes(row["id_number_lookup"])),
            KEYS.open(row["id_number"]),
            KEYS.open(row["phone"]) if row["phone"] else None,
        )
        for row in await rows("SELECT * FROM payers ORDER BY id")
    ]
    batches = (
        "SELECT number, clearing_bank_id, scheme, status, opened_at FROM clearing_batches ORDER BY number"
    )
    seen["clearing_batches"] = [tuple(row) for row in await rows(batches)]
    seen["demonstration"] = [
        tuple(row) for row in await rows("SELECT seed, payers, starts_at, pace FROM demonstration")
    ]
    return seen


@pytest.mark.usefixtures("database")
async def test_the_same_seed_makes_the_same_city_down_to_the_ids_and_another_seed_shares_no_person() -> None:
    await make(seed=7)
    first = await picture()
    await clear()

    await make(seed=7)
    again = await picture()
    await clear()
    await make(seed=8)
    other = await picture()

    assert again == first
    assert {row[0] for row in other["payers"]}.isdisjoint(row[0] for row in first["payers"])
    assert other["regions"] != first["regions"]
    assert [row[1] for row in other["payers"]] != [row[1] for row in first["payers"]]


async def test_a_city_made_in_a_process_of_its_own_is_the_one_made_here(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make()
    here = await picture()
    await clear()

    monkeypatch.setattr(production, "OWN_PROCESS_FROM", 1)
    await make()

    assert database
    assert await picture() == here


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(("payers", "villagers"), [(1, 1), (297, 297), (298, 298), (299, 298), (1_000, 298)])
async def test_xiyuanzhuang_has_298_members_and_nobody_is_made_too_many(payers: int, villagers: int) -> None:
    await make(payers)

    found = await rows(
        "SELECT r.name, p.name AS subdistrict, d.code AS district, COUNT(y.id) AS members FROM regions r"
        " JOIN regions p ON p.id = r.parent_id JOIN regions d ON d.id = p.parent_id"
        " JOIN payers y ON y.region_id = r.id WHERE r.name = '西元庄' GROUP BY r.name, p.name, d.code"
    )

    assert [tuple(row) for row in found] == [("西元庄", "通济新区", "370215", villagers)]
    assert await number("SELECT COUNT(*) FROM payers") == payers


@pytest.mark.usefixtures("database")
async def test_the_regions_are_a_tree_with_22_subdistricts_in_shibei_and_no_code_or_name_twice() -> None:
    await make(10)

    shibei = await number(
        "SELECT COUNT(*) FROM regions r JOIN regions p ON p.id = r.parent_id"
        " WHERE p.code = '370203' AND r.level = 'SUBDISTRICT'"
    )
    tree = await rows(
        "SELECT r.code, r.level, r.path, r.name, p.code AS above, p.path AS path_above FROM regions r"
        " LEFT JOIN regions p ON p.id = r.parent_id"
    )
    [jimo] = await rows("SELECT former_codes FROM regions WHERE code = '370215'")

    lengths = {"CITY": 6, "DISTRICT": 6, "SUBDISTRICT": 9, "VILLAGE": 12}
    assert shibei == 22
    assert jimo["former_codes"] == "370282"
    assert all(len(row["code"]) == lengths[row["level"]] for row in tree)
    assert all(row["path"] == f"{row['path_above'] or ''}{row['code']}." for row in tree)
    assert all(
        row["code"].startswith(row["above"]) for row in tree if row["level"] in ("SUBDISTRICT", "VILLAGE")
    )
    assert len({(row["name"], row["above"]) for row in tree}) == len(tree)


@pytest.mark.usefixtures("database")
async def test_ten_banks_are_cleared_by_the_one_for_newcomers_and_a_clearing_bank_has_no_route() -> None:
    await make(10)

    routes = await rows(
        "SELECT h.role, c.code, r.valid_from, r.valid_until FROM clearing_routes r"
        " JOIN banks h ON h.id = r.handling_bank_id JOIN banks c ON c.id = r.clearing_bank_id"
    )
    open_batches = await number("SELECT COUNT(*) FROM clearing_batches WHERE status = 'OPEN'")

    assert {(r["role"], r["code"], str(r["valid_from"]), r["valid_until"]) for r in routes} == {
        ("HANDLING", "314", "2019-09-01", None)
    }
    assert len(routes) == 10
    assert await number("SELECT COUNT(*) FROM banks WHERE role = 'CLEARING'") == 3
    assert open_batches == await number("SELECT COUNT(*) FROM clearing_batches") == 6


@pytest.mark.usefixtures("database")
async def test_every_id_number_is_valid_by_r01_and_no_real_person_can_have_it_or_the_phone() -> None:
    await make(2_000)

    people = await rows("SELECT id_number, id_number_lookup, phone FROM payers")

    id_numbers = [KEYS.open(row["id_number"]) for row in people]
    phones = [KEYS.open(row["phone"]) for row in people if row["phone"]]
    assert [parse_id_number(value) for value in id_numbers] == id_numbers
    assert [bytes(row["id_number_lookup"]) for row in people] == [
        KEYS.lookup_hash(value) for value in id_numbers
    ]
    assert all(0 <= age_on(birth_date(value), DAY) <= 95 for value in id_numbers)
    assert [parse_phone(value) for value in phones] == phones
    assert 0.60 < len(phones) / len(people) < 0.70
    assert len(set(id_numbers)) == len(people)
    assert len(set(phones)) == len(phones)
    assert not [value for value in id_numbers if not value.startswith(SYNTHETIC_ADDRESS_CODE)]
    assert not [value for value in phones if not value.startswith(SYNTHETIC_PHONE_RANGE)]


@pytest.mark.usefixtures("database")
async def test_a_household_shares_its_region_and_has_no_sixth_member() -> None:
    await make(1_000)

    households = await rows(
        "SELECT COUNT(*) AS members, COUNT(DISTINCT region_id) AS regions FROM payers GROUP BY household_id"
    )

    assert {row["members"] for row in households} == {1, 2, 3, 4, 5}
    assert {row["regions"] for row in households} == {1}


@pytest.mark.usefixtures("database")
async def test_dues_follow_the_tables_and_the_ages_and_subsidies_never_change_their_sum() -> None:
    summary = await make(5_000)

    found = await rows(
        "SELECT c.scheme, d.category, d.personal_amount, d.subsidy_amount, d.status, y.id_number FROM dues d"
        " JOIN payers y ON y.id = d.payer_id JOIN collection_periods c ON c.id = d.period_id"
    )

    medical = [row for row in found if row["scheme"] == "MEDICAL"]
    pension = [row for row in found if row["scheme"] == "PENSION"]
    rates = {category: fen for (year, category), fen in tables.medical_rates().items() if year == 2020}
    ages = [age_on(birth_date(KEYS.open(row["id_number"])), DAY) for row in pension]
    payable = {(row["personal_amount"] > 0, row["status"]) for row in found}
    assert len(medical) == 5_000
    assert {row["category"] for row in medical} == set(rates)
    assert all(row["personal_amount"] + row["subsidy_amount"] == rates[row["category"]] for row in medical)
    assert {
        row["subsidy_amount"] * 2 >= row["personal_amount"] for row in medical if row["subsidy_amount"]
    } == {True}
    assert payable == {(True, "OPEN"), (False, "EXEMPT")}
    assert all(16 <= age <= 59 for age in ages)
    assert {row["category"] for row in pension} <= {f"TIER_{fen}" for fen in tables.pension_tiers()}
    assert "TIER_10000" not in {row["category"] for row in pension}
    assert {row["subsidy_amount"] for row in pension} == {0}
    assert (summary.dues, summary.due_amount) == (
        len(found),
        sum(row["personal_amount"] + row["subsidy_amount"] for row in found),
    )


@pytest.mark.usefixtures("database")
async def test_the_city_carries_its_clock_and_no_keys_that_were_not_given_to_it() -> None:
    before = datetime.now(UTC)

    summary = await make(10)

    [row] = await rows("SELECT * FROM demonstration")
    assert summary.starts_at == datetime(2019, 10, 8, 2, 0, tzinfo=UTC)
    assert before <= summary.made_at <= datetime.now(UTC)
    assert row["signing_key"] is None
    assert row["personal_data_keys"] is None


@pytest.mark.usefixtures("database")
async def test_a_database_that_holds_anything_is_refused_and_left_as_it_was() -> None:
    await make(10)
    before = await picture()

    with pytest.raises(CityExists, match="not empty"):
        await make(10, seed=8)

    assert await picture() == before


@pytest.mark.usefixtures("database")
async def test_a_making_that_is_interrupted_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.demonstration.population.CHUNK_HOUSEHOLDS", 50)

    def interrupt(made: int, _payers: int) -> None:
        if made > 300:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await make(1_000, progress=interrupt)

    for table in (*TABLES, "payers", "clearing_batches", "demonstration"):
        assert await number(f"SELECT COUNT(*) FROM {table}") == 0
    assert (await make(10)).payers == 10


@pytest.mark.usefixtures("database")
async def test_when_the_making_process_is_killed_it_is_said_and_nothing_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(production, "OWN_PROCESS_FROM", 1)
    monkeypatch.setattr(production, "_make", _die)

    with pytest.raises(MakingFailed):
        await make(10)

    assert await number("SELECT COUNT(*) FROM payers") == 0
    assert await number("SELECT COUNT(*) FROM regions") == 0


def _die(*_arguments: object) -> None:
    import os
    import signal

    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.usefixtures("database")
async def test_the_sample_payer_is_an_adult_with_a_household_who_still_owes_and_never_somebody_else() -> None:
    await make(300)

    id_number = await sample_payer_id_number(KEYS)

    [payer] = await rows("SELECT * FROM payers WHERE id_number_lookup = $1", KEYS.lookup_hash(id_number))
    open_dues = "SELECT COUNT(*) FROM dues WHERE status = 'OPEN' AND payer_id = $1"
    assert age_on(birth_date(id_number), DAY) >= 18
    assert await number("SELECT COUNT(*) FROM payers WHERE household_id = $1", payer["household_id"]) > 1
    assert await number(open_dues, payer["id"]) > 0
    assert await sample_payer_id_number(KEYS) == id_number


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(("payers", "pace"), [(0, 1.0), (5_000_001, 1.0), (10, 0.0), (10, float("nan"))])
async def test_a_city_of_nobody_or_without_time_is_refused_and_nothing_is_made(
    payers: int, pace: float
) -> None:
    with pytest.raises(ValueError, match=r"payers|pace"):
        await make(payers, pace=pace)

    assert await number("SELECT COUNT(*) FROM regions") == 0
