"""Pages by place rather than by number: the rows after a cursor's values, found where an index has them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core import signing
from django.db.models import Field, Model, Q, QuerySet
from django.db.models.expressions import F, OrderBy
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan
from rest_framework.exceptions import ValidationError

NOWHERE = Q(pk__in=())


@dataclass(frozen=True, slots=True)
class Term:
    """One column that a list is ordered by."""

    field: "Field[Any, Any]"
    is_descending: bool
    nulls_first: bool

    @property
    def name(self) -> str:
        return self.field.name

    @property
    def is_nullable(self) -> bool:
        return self.field.null

    def __str__(self) -> str:
        return f"{'-' if self.is_descending else ''}{self.name}"

    def after(self, value: Any) -> Q:
        """Where this column alone comes after the value."""
        null = Q(**{f"{self.name}__isnull": True})
        if value is None:
            return ~null if self.nulls_first else NOWHERE
        later = Q(**{f"{self.name}__{'lt' if self.is_descending else 'gt'}": value})
        return later | null if self.is_nullable and not self.nulls_first else later

    def at(self, value: Any) -> Q:
        return Q(**{f"{self.name}__isnull": True} if value is None else {self.name: value})


def terms(queryset: QuerySet[Any]) -> tuple[Term, ...]:
    """What the queryset is ordered by, which ends with something unique."""
    model = queryset.model
    return tuple(term(model, one) for one in queryset.query.order_by or model._meta.ordering)


def term(model: type[Model], ordering: Any) -> Term:
    """PostgreSQL takes nulls for the largest values, unless the ordering says where they stand."""
    if not isinstance(ordering, OrderBy):
        ordering = OrderBy(F(ordering.lstrip("-")), descending=ordering.startswith("-"))
    name = getattr(ordering.expression, "name", "")
    field = model._meta.pk if name == "pk" else model._meta.get_field(name)
    if not isinstance(field, Field):
        raise TypeError(f"{name} is no column of {model.__name__}.")
    nulls_first = bool(ordering.nulls_first or (ordering.descending and not ordering.nulls_last))
    return Term(field, bool(ordering.descending), nulls_first)


def page(queryset: QuerySet[Any], cursor: str, limit: int) -> tuple[list[Any], str | None]:
    """So many rows after the cursor, and the cursor of what follows. A wrong one is a ValidationError."""
    ordering = terms(queryset)
    parts = after(ordering, decode(cursor, queryset.model, ordering)) if cursor else [Q()]
    rows: list[Any] = []
    for part in parts:
        rows += queryset.filter(part)[: limit + 1 - len(rows)]
        if len(rows) > limit:
            return rows[:limit], write(rows[limit - 1], queryset.model, ordering)
    return rows, None


def after(ordering: Sequence[Term], values: Sequence[Any]) -> list[Q]:
    """The rows after these values, in parts that follow each other and each have one start in an index."""
    first, value = ordering[0], values[0]
    if not is_comparable(ordering[1:], values[1:]) or first.is_descending != ordering[-1].is_descending:
        return [anywhere_after(ordering, values)]
    if not first.is_nullable:
        return [beyond(ordering, values)]
    nulls = Q(**{f"{first.name}__isnull": True})
    if value is None:
        rest = nulls & beyond(ordering[1:], values[1:]) if ordering[1:] else NOWHERE
        return [rest, ~nulls] if first.nulls_first else [rest]
    return [beyond(ordering, values)] if first.nulls_first else [beyond(ordering, values), nulls]


def is_comparable(ordering: Sequence[Term], values: Sequence[Any]) -> bool:
    """Whether rows compare with these values as they stand: all one way, and nothing unknown among them."""
    directions = {one.is_descending for one in ordering}
    return len(directions) < 2 and not any(one.is_nullable for one in ordering)


def beyond(ordering: Sequence[Term], values: Sequence[Any]) -> Q:
    """`(a, b) < (x, y)`: what a row's own comparison says."""
    lookup = TupleLessThan if ordering[0].is_descending else TupleGreaterThan
    return Q(lookup(Tuple(*(F(one.name) for one in ordering)), tuple(values)))


def anywhere_after(ordering: Sequence[Term], values: Sequence[Any]) -> Q:
    """a after x, or a = x and b after y, and so on, for orderings that go both ways.

    That a is x or after it says nothing more, but gives an index a place to start.
    """
    condition, equal = NOWHERE, Q()
    for one, value in zip(ordering, values, strict=True):
        condition |= equal & one.after(value)
        equal &= one.at(value)
    return condition & (ordering[0].after(values[0]) | ordering[0].at(values[0]))


def write(row: Any, model: type[Model], ordering: Sequence[Term]) -> str:
    """The row's place in its list, signed: a cursor is good for the list that gave it."""
    return signing.dumps([said(one.field, row) for one in ordering], salt=salt(model, ordering))


def said(field: "Field[Any, Any]", row: Any) -> Any:
    """The value as JSON keeps it."""
    value = getattr(row, field.attname)
    return value if value is None or isinstance(value, (int, str)) else field.value_to_string(row)


def decode(cursor: str, model: type[Model], ordering: Sequence[Term]) -> list[Any]:
    try:
        values = signing.loads(cursor, salt=salt(model, ordering))
    except signing.BadSignature as error:
        raise ValidationError({"cursor": ["This is no cursor of this list."]}) from error
    return [one.field.to_python(value) for one, value in zip(ordering, values, strict=True)]


def salt(model: type[Model], ordering: Sequence[Term]) -> str:
    return f"cursor {model._meta.label} {' '.join(map(str, ordering))}"


def columns(queryset: QuerySet[Any]) -> list[str]:
    """What a cursor is written from."""
    return [one.field.attname for one in terms(queryset)]
