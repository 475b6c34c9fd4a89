from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field

from apexchainx.accounts.models import Role, User
from apexchainx.api.filters import WordFilter


@extend_schema_field(OpenApiTypes.BOOL)
class FlagFilter(WordFilter):
    """true or false; django-filter's own takes any other word for no filter."""

    def __init__(self, **options: Any) -> None:
        super().__init__(words={"true": (True,), "false": (False,)}, **options)


class UserFilter(django_filters.FilterSet):
    role = django_filters.ChoiceFilter(choices=Role.choices)
    is_active = FlagFilter()
    search = django_filters.CharFilter(
        max_length=254, method="find", label="Part of the address or the name."
    )

    class Meta:
        model = User
        fields: tuple[str, ...] = ()

    def find(self, users: QuerySet[User], _name: str, text: str) -> QuerySet[User]:
        return users.filter(Q(email__icontains=text) | Q(full_name__icontains=text))
