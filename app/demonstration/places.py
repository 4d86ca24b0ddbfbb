"""The places of the demonstration city: real districts, invented subdistricts and villages.

Two figures are those of the 2019 season: Shibei has 22 subdistricts, and Xiyuanzhuang lies in the Tongji new
district of Jimo. Codes follow GB/T 10114: nine digits for a subdistrict, twelve for a village or community.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from app.demonstration import syllables
from app.demonstration.identities import TimeOrderedIds
from app.reference import tables
from app.vocabulary import RegionLevel

JIMO = "370215"
# district: (subdistricts, whether its villages are urban communities, tens of thousands of residents);
# all but the 22 of Shibei are assumed.
DISTRICTS = {
    "370202": (10, True, 58),
    "370203": (22, True, 110),
    "370211": (22, False, 160),
    "370212": (5, True, 45),
    "370213": (11, True, 58),
    "370214": (8, True, 75),
    "370215": (15, False, 125),
    "370281": (12, False, 91),
    "370283": (17, False, 136),
    "370285": (11, False, 74),
}
FEWEST_VILLAGES, MOST_VILLAGES = 8, 18
FIRST_COMMUNITY, FIRST_VILLAGE = 1, 201


@dataclass(frozen=True, slots=True)
class Place:
    """One region as it will be stored; `residents` weighs how many live right there."""

    id: str
    code: str
    name: str
    level: RegionLevel
    parent_id: str | None
    path: str
    former_codes: tuple[str, ...] = ()
    residents: float = 0.0


def lay_out(random: Random, ids: TimeOrderedIds) -> list[Place]:
    """The whole tree, parents before children. Xiyuanzhuang weighs nothing: it is peopled by count."""
    towns = [first + second for first in syllables.TOWN_FIRST for second in syllables.TOWN_SECOND]
    random.shuffle(towns)
    places: dict[str, Place] = {}
    for region in tables.regions():
        above = places[region.parent_code] if region.parent_code else None
        path = f"{above.path if above else ''}{region.code}."
        places[region.code] = Place(
            ids.next(),
            region.code,
            region.name,
            region.level,
            above.id if above else None,
            path,
            region.former_codes,
        )
    districts = [place for place in places.values() if place.level is RegionLevel.DISTRICT]
    below = [place for district in districts for place in _district(random, ids, district, towns)]
    return [*places.values(), *below]


def _district(random: Random, ids: TimeOrderedIds, district: Place, towns: list[str]) -> Iterator[Place]:
    subdistricts, urban, residents = DISTRICTS[district.code]
    for number in range(1, subdistricts + 1):
        first_of_jimo = district.code == JIMO and number == 1
        town = syllables.TONGJI if first_of_jimo else towns.pop() + ("街道" if urban or number <= 4 else "镇")
        subdistrict = _under(district, ids, f"{number:03}", town, RegionLevel.SUBDISTRICT)
        yield subdistrict
        names = [syllables.XIYUANZHUANG] if first_of_jimo else []
        names += _village_names(random, urban)
        weight = residents / subdistricts / len(names)
        for place, name in enumerate(names, FIRST_COMMUNITY if urban else FIRST_VILLAGE):
            peopled_by_count = name == syllables.XIYUANZHUANG
            yield _under(
                subdistrict,
                ids,
                f"{place:03}",
                name,
                RegionLevel.VILLAGE,
                0.0 if peopled_by_count else weight,
            )


def _under(
    above: Place, ids: TimeOrderedIds, digits: str, name: str, level: RegionLevel, residents: float = 0.0
) -> Place:
    code = above.code + digits
    return Place(ids.next(), code, name, level, above.id, f"{above.path}{code}.", residents=residents)


def _village_names(random: Random, urban: bool) -> list[str]:
    count = random.randint(FEWEST_VILLAGES, MOST_VILLAGES)
    if urban:
        communities = [a + b + "社区" for a in syllables.COMMUNITY_FIRST for b in syllables.COMMUNITY_SECOND]
        return random.sample(communities, count)
    villages = [a + b for a in syllables.VILLAGE_CLANS for b in syllables.VILLAGE_ENDINGS]
    chosen = random.sample(villages, count)
    return [
        random.choice(syllables.VILLAGE_SIDES) + name if random.random() < 0.5 else name for name in chosen
    ]


def xiyuanzhuang(places: list[Place]) -> Place:
    """The village that pays in one go."""
    return next(place for place in places if place.name == syllables.XIYUANZHUANG)
