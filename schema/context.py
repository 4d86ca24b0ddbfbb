"""What resolvers find in `info.context`: the caller, the reader's language, the house's parts, the loaders."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import strawberry

from app.faults import Unauthenticated
from app.intake import Intake
from app.live.feed import Feed
from app.personal_data import PersonalDataKeys
from app.principal import Principal
from app.services.sight import Sight, sight_of

if TYPE_CHECKING:
    from schema.loaders import Loaders


@dataclass(frozen=True)
class House:
    """The parts of the running server that resolvers use."""

    intake: Intake
    feed: Feed
    keys: PersonalDataKeys


class Context:
    """One operation's context. `caller` is the principal, or why there is none."""

    def __init__(self, house: House, caller: Principal | Unauthenticated, language: str) -> None:
        self.house = house
        self.language = language
        self._caller = caller
        self._sight: Sight | None = None

    @property
    def principal(self) -> Principal:
        """The caller; raises Unauthenticated where there is none."""
        if isinstance(self._caller, Unauthenticated):
            raise self._caller
        return self._caller

    async def sight(self) -> Sight:
        """What the caller sees."""
        if self._sight is None:
            self._sight = await sight_of(self.principal)
        return self._sight

    @cached_property
    def load(self) -> Loaders:
        """The loaders of this operation."""
        from schema.loaders import Loaders  # noqa: PLC0415 - loaders know the context, which makes them

        return Loaders(self)


Info: TypeAlias = strawberry.Info[Context, None]
