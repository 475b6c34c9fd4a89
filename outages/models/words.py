"""What somebody who searches may mean: the words that outages are told in, and how to find them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import reduce
from math import prod
from operator import and_
from typing import Any

from django.contrib.postgres.indexes import GistIndex, OpClass
from django.contrib.postgres.search import SearchQuery
from django.db import connection, models
from django.db.models import Q
from django.utils import timezone

# More words than this say nothing more.
MOST_WORDS = 8
# Trigrams find nothing shorter.
SHORTEST_PART = 3
# A beginning of at most so many words is asked for as those: an index finds words faster than beginnings.
MOST_BEGUN = 12
# Where this share of outages matches, it is quicker to look through the newest than to collect all.
COMMON = 0.004

# Each word with how a vector is asked for it: by its stem or by itself, and as a beginning if it is the
# last one or nothing else.
UNDERSTAND = """
WITH common AS MATERIALIZED (
    SELECT lexeme, frequency FROM pg_stats,
        LATERAL unnest(most_common_elems::text::text[], most_common_elem_freqs) AS e (lexeme, frequency)
    WHERE schemaname = current_schema() AND tablename = 'outages_outage' AND attname = 'search_vector'
)
SELECT asked.word, known.is_known OR length(asked.word) < %(shortest)s, nearest.word IS NOT NULL,
    (stem || to_tsquery('simple', coalesce(begun.words, meant)))::text,
    (SELECT max(frequency) FROM common
        WHERE lexeme = meant OR lexeme = ANY(tsvector_to_array(stem::text::tsvector))
        OR begun.words IS NOT NULL AND starts_with(lexeme, meant))
FROM unnest(%(words)s::text[]) WITH ORDINALITY AS asked (word, place)
CROSS JOIN LATERAL (SELECT EXISTS (
    SELECT FROM outages_word w WHERE w.word LIKE asked.word || '%%') AS is_known) known
LEFT JOIN LATERAL (
    SELECT close.word FROM (
        SELECT w.word FROM outages_word w ORDER BY w.word <-> asked.word LIMIT 30
    ) close
    WHERE levenshtein_less_equal(close.word, asked.word, 2)
        <= CASE WHEN length(asked.word) < 5 THEN 1 ELSE 2 END
    ORDER BY levenshtein(close.word, asked.word), similarity(close.word, asked.word) DESC, close.word
    LIMIT 1
) nearest ON NOT known.is_known AND asked.word ~ '^[[:alpha:]]{3,}$'
CROSS JOIN LATERAL (SELECT coalesce(nearest.word, asked.word) AS meant) m
CROSS JOIN LATERAL (SELECT to_tsquery('english', meant) AS stem) s
LEFT JOIN LATERAL (
    SELECT CASE WHEN count(*) <= %(most)s THEN string_agg(longer.word, ' | ') ELSE meant || ':*' END AS words
    FROM (
        SELECT w.word FROM outages_word w WHERE w.word LIKE meant || '%%' LIMIT %(most)s + 1
    ) longer
) begun ON length(meant) >= %(shortest)s AND (asked.place = cardinality(%(words)s::text[])
    OR NOT EXISTS (SELECT FROM outages_word w WHERE w.word = meant))
ORDER BY asked.place
"""
# Words have no digits: what has some is looked for inside of the text.
LEARN = """
WITH changed AS MATERIALIZED (
    SELECT search_vector, updated_at, id FROM outages_outage WHERE (updated_at, id) > (%(since)s, %(after)s)
    ORDER BY updated_at, id LIMIT %(most)s
), learnt AS (
    INSERT INTO outages_word (word)
    SELECT DISTINCT word FROM changed, unnest(tsvector_to_array(search_vector)) word
    WHERE word ~ '^[[:alpha:]]{3,64}$' ON CONFLICT DO NOTHING
)
SELECT updated_at, id FROM changed ORDER BY updated_at DESC, id DESC LIMIT 1
"""
BATCH = 20_000
EARLIEST = datetime(1, 1, 1, tzinfo=UTC)
LATEST_COMMIT = timedelta(minutes=5)


class TsQuery(SearchQuery):
    """A tsquery as PostgreSQL itself has written it."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def as_sql(self, *_: Any, **__: Any) -> Any:
        return "%s::tsquery", [self.text]


@dataclass(frozen=True, slots=True)
class Sought:
    """What outages must match, the words that rank them, and whether many will."""

    text: str
    condition: Q
    query: TsQuery
    is_common: bool = False


@dataclass(frozen=True, slots=True)
class Meant:
    """One word as it was asked for, and the tsquery of it, or of the word that is like it."""

    word: str
    is_known: bool
    is_corrected: bool
    query: str
    frequency: float | None

    @property
    def inside(self) -> Q:
        """Somewhere in the text, or put right."""
        part = Q(search_text__contains=self.word)
        return part | Q(search_vector=TsQuery(self.query)) if self.is_corrected else part


class WordQuerySet(models.QuerySet["Word"]):
    def sought(self, text: str) -> Sought:
        """How to find outages by this text, by one statement.

        Every word must match: by its stem, or as a beginning if it is the last one or no word of its own.
        What no outage knows as the beginning of a word is looked for inside of words, or taken for a small
        error in typing one. Nothing has a meaning of its own: signs beside letters or digits must be there,
        and alone they find nothing.
        """
        tokens = text.lower().split()
        words = [word for token in tokens for word in words_of(token)][:MOST_WORDS]
        if not words:
            return Sought(text, Q(pk__in=()), TsQuery(""))
        with connection.cursor() as cursor:
            cursor.execute(UNDERSTAND, asked(words))
            meant = [Meant(*row) for row in cursor.fetchall()]
        signed = [token for token in tokens[:MOST_WORDS] if words_of(token) not in ([], [token])]
        conditions = [Q(search_text__contains=token) for token in signed]
        conditions += [one.inside for one in meant if not one.is_known]
        known = [one for one in meant if one.is_known]
        if known:
            conditions.append(Q(search_vector=every(known)))
        expected = prod(one.frequency or 0.0 for one in meant)
        return Sought(text.strip(), reduce(and_, conditions), every(meant), expected >= COMMON and not signed)

    def learn(self) -> None:
        """Take in the words of outages that are new or have changed, so many outages at a time."""
        learning = Learning.objects.first()
        place = (learning.read_until if learning else EARLIEST, 0)
        while (reached := self.learn_after(*place, most=BATCH)) is not None:
            place = reached
            # What is written now may be seen only later: the last minutes are read again next time.
            until = min(place[0], timezone.now() - LATEST_COMMIT)
            Learning.objects.update_or_create(pk=1, defaults={"read_until": until})

    def learn_after(self, since: datetime, after: int, *, most: int) -> tuple[datetime, int] | None:
        """Where the reading has come to: the last outage's change and key; None where nothing follows."""
        with connection.cursor() as cursor:
            cursor.execute(LEARN, {"since": since, "after": after, "most": most})
            place: tuple[datetime, int] | None = cursor.fetchone()
        return place


class Word(models.Model):
    """A word that some outage was told in, so that one typed wrongly can be put right."""

    word = models.CharField(max_length=64, primary_key=True)

    objects = WordQuerySet.as_manager()

    class Meta:
        indexes = (GistIndex(OpClass("word", "gist_trgm_ops"), name="word_by_likeness"),)

    def __str__(self) -> str:
        return self.word


class Learning(models.Model):
    """How far the outages' words have been learnt: one row."""

    read_until = models.DateTimeField(help_text="Outages that changed before this have been read.")

    def __str__(self) -> str:
        return f"until {self.read_until:%Y-%m-%d %H:%M}"


def words_of(token: str) -> list[str]:
    """Its runs of letters and digits, as the search columns are cut."""
    return re.findall(r"[^\W_]+", token)


def asked(words: Sequence[str]) -> dict[str, Any]:
    """What `UNDERSTAND` takes."""
    return {"words": list(words), "shortest": SHORTEST_PART, "most": MOST_BEGUN}


def every(meant: Sequence[Meant]) -> TsQuery:
    return TsQuery(" & ".join(f"({one.query})" for one in meant))
