"""Outages by the page: listed, searched, violated."""

from rest_framework import mixins, viewsets

from outages.models import Outage


class OutageLists(mixins.ListModelMixin, viewsets.GenericViewSet[Outage]):
    """The lists that `OutageViewSet` answers."""
