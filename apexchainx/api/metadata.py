"""The answer to OPTIONS."""

from typing import TYPE_CHECKING, Any

from rest_framework.metadata import BaseMetadata
from rest_framework.request import Request

if TYPE_CHECKING:
    from rest_framework.views import APIView


class Methods(BaseMetadata):
    """OPTIONS names the methods; fields stand in the OpenAPI description."""

    def determine_metadata(self, _request: Request, view: "APIView") -> dict[str, Any]:
        return {"methods": view.allowed_methods}
