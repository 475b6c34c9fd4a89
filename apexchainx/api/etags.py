"""ETags: an answer that a client has already costs no second copy, and a change states what it has seen."""

import hashlib
import re
from functools import partial

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.http import ConditionalGetMiddleware
from django.utils.cache import patch_cache_control
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from apexchainx.api.exceptions import answer, under_prefix
from apexchainx.errors import Stale

VERSIONED = re.compile(r'"(\d{1,10})-[0-9a-f]{32}"')
IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description="The ETag of the outage as you have read it; if it has changed since, the answer is 412.",
)


class ETagMiddleware(ConditionalGetMiddleware):
    """Every whole answer to a GET under the prefix has an ETag, except where secrets may stand in it."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if not is_kept(request, response):
            return response
        patch_cache_control(response, private=True, no_cache=True)
        answered = super().process_response(request, response)
        if answered.status_code == 412:
            return answer(412, "This has changed since you read it; read it again.")
        return answered


def is_kept(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Whether a client may keep the answer, and ask whether it is still the same."""
    asked = request.method == "GET" and under_prefix(request) and response.status_code == 200
    is_secret = f"{request.path_info}/".startswith(f"{settings.API_V1_PREFIX}/auth/")
    return asked and not is_secret and not response.streaming and "Cache-Control" not in response


def versioned(response: Response, version: int) -> Response:
    """Its ETag begins with the version, which is what `If-Match` is about."""
    response.add_post_render_callback(partial(tag, version))
    return response


def tag(version: int, response: Response) -> None:
    digest = hashlib.md5(response.content, usedforsecurity=False).hexdigest()
    response["ETag"] = f'"{version}-{digest}"'


def expected_version(request: Request) -> int | None:
    """The version that `If-Match` names; None where any will do. Raises Stale for what is no ETag of ours."""
    given = request.headers.get("If-Match", "*").strip()
    if given == "*":
        return None
    found = VERSIONED.fullmatch(given)
    if found is None:
        raise Stale("If-Match holds no ETag of an outage; give one as it was answered, or *.")
    return int(found[1])
