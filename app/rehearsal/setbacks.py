"""Why a partner, a season or a whole rehearsal can not go on."""

from __future__ import annotations


class Setback(Exception):
    """Something could not be carried on; the message is one sentence without personal data."""


class GaveUp(Setback):
    """A partner stopped asking: no usable answer within the bounded number of attempts."""


class NotServed(Setback):
    """The server answered a subscriber, or its handshake, with something else than news."""


class TooFewDues(Setback):
    """The city is too small for a season."""


class SeasonBroken(Setback):
    """Nothing sensible can follow: the season ends where it stands."""


class StageFailure(Setback):
    """The rehearsal can not begin, or its server is gone."""
