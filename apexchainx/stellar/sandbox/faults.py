"""How the sandbox misbehaves: rules that strike the next requests, or some of them by a seeded chance."""

import random
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from itertools import count

REMEMBERED = 1000


class Kind(StrEnum):
    """What goes wrong. Each kind strikes at one place of a request's way, see SUBMISSIONS and the others."""

    TIMEOUT_BEFORE = "504_before_apply"
    TIMEOUT_AFTER = "504_after_apply"
    RESET_BEFORE = "reset_before_apply"
    RESET_AFTER = "reset_after_apply"
    RATE_LIMIT = "429"
    UNAVAILABLE = "503"
    BAD_SEQUENCE = "tx_bad_seq"
    INSUFFICIENT_FEE = "tx_insufficient_fee"
    LATE = "late_inclusion"
    LAG = "read_lag"
    WRONG_AMOUNT = "wrong_amount"


ANY_REQUEST = frozenset({Kind.RATE_LIMIT, Kind.UNAVAILABLE})
SUBMISSIONS = ANY_REQUEST | {Kind.TIMEOUT_BEFORE, Kind.TIMEOUT_AFTER, Kind.RESET_BEFORE, Kind.RESET_AFTER}
READS = ANY_REQUEST | {Kind.LAG}
REFUSALS = frozenset({Kind.BAD_SEQUENCE, Kind.INSUFFICIENT_FEE})
INCLUSIONS = frozenset({Kind.LATE, Kind.WRONG_AMOUNT})
WITH_LEDGERS = frozenset({Kind.LATE, Kind.LAG})


@dataclass(frozen=True)
class Rule:
    """Strikes `count` more times, or else each time with this probability.

    Only what concerns `source`, where one is named. `ledgers` is how far a late inclusion or a lag is behind.
    """

    id: int
    kind: Kind
    count: int | None = None
    probability: float | None = None
    source: str = ""
    ledgers: int = 0


@dataclass(frozen=True)
class Target:
    """What a rule may strike: a request, whose it is, and the hash of its transaction."""

    request: str
    source: str = ""
    hash: str = ""


@dataclass(frozen=True)
class Strike:
    """A fault that happened: by which rule, to what, and after which ledger."""

    rule: int
    kind: Kind
    request: str
    source: str
    hash: str
    ledger: int


class Faults:
    """The rules, in the order of their making; one that has struck often enough is gone.

    They live as long as the process does: a sandbox that starts behaves.
    Every rule draws from a generator of its own, made of the seed and the rule's id: the same seed, rules and
    sequence of requests meet the same faults.
    """

    def __init__(self, seed: int = 0) -> None:
        self._lock = threading.Lock()
        self._rules: dict[int, Rule] = {}
        self._chances: dict[int, random.Random] = {}
        self._strikes: deque[Strike] = deque(maxlen=REMEMBERED)
        self._ids = count(1)
        self._seed = seed

    @property
    def seed(self) -> int:
        return self._seed

    def reseed(self, seed: int) -> None:
        """From here on every rule draws anew."""
        with self._lock:
            self._seed = seed
            self._chances = {id_: self._chance(id_) for id_ in self._rules}

    def add(
        self,
        kind: Kind,
        *,
        count: int | None = None,
        probability: float | None = None,
        source: str = "",
        ledgers: int = 0,
    ) -> Rule:
        with self._lock:
            rule = Rule(next(self._ids), kind, count, probability, source, ledgers)
            self._rules[rule.id] = rule
            self._chances[rule.id] = self._chance(rule.id)
            return rule

    def rules(self) -> list[Rule]:
        with self._lock:
            return list(self._rules.values())

    def remove(self, id_: int) -> bool:
        """Whether there was such a rule."""
        with self._lock:
            return self._rules.pop(id_, None) is not None

    def clear(self) -> None:
        """Without rules ids begin at 1 again, so that a test and its repetition draw the same."""
        with self._lock:
            self._rules.clear()
            self._ids = count(1)

    def strikes(self) -> list[Strike]:
        """The latest thousand, oldest first."""
        with self._lock:
            return list(self._strikes)

    def most_lag(self) -> int:
        """How many ledgers the laziest replica is behind; 0 where none is."""
        with self._lock:
            return max((each.ledgers for each in self._rules.values() if each.kind == Kind.LAG), default=0)

    def strike(self, kinds: frozenset[Kind], target: Target, ledger: int) -> Rule | None:
        """The first rule of these kinds that strikes now, if any does."""
        with self._lock:
            for rule in self._matching(kinds, target.source):
                if self._hits(rule):
                    happened = Strike(rule.id, rule.kind, **asdict(target), ledger=ledger)
                    self._strikes.append(happened)
                    return rule
        return None

    def _matching(self, kinds: frozenset[Kind], source: str) -> Iterator[Rule]:
        for rule in tuple(self._rules.values()):
            if rule.kind in kinds and rule.source in {"", source}:
                yield rule

    def _hits(self, rule: Rule) -> bool:
        if rule.probability is not None:
            return self._chances[rule.id].random() < rule.probability
        left = (rule.count or 1) - 1
        self._rules[rule.id] = replace(rule, count=left)
        if left == 0:
            del self._rules[rule.id]
        return True

    def _chance(self, id_: int) -> random.Random:
        return random.Random(f"{self._seed}:{id_}")  # noqa: S311 - repeatable on purpose
