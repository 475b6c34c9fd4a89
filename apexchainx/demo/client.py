"""A client of the API as somebody outside would write it."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, TypeVar

import urllib3

PREFIX = "/api/v1"
# Whoever is told that they call too often waits as long as the answer says, and asks once more.
PATIENCE = urllib3.Retry(
    total=1,
    connect=False,
    read=False,
    redirect=False,
    other=False,
    status_forcelist=(429,),
    allowed_methods=None,
    raise_on_status=False,
)
T = TypeVar("T")


class StoryFailed(Exception):
    """Something did not happen as told; the message holds what happened instead."""


@dataclass(frozen=True, slots=True)
class Api:
    """Requests to `url`, by the bearer of `token`, all under one correlation id."""

    url: str
    correlation_id: str = ""
    token: str = ""

    def get(self, path: str, *, expect: int = 200, **query: str) -> Any:
        return self._send("GET", path, expect=expect, fields=query)

    def post(self, path: str, body: dict[str, Any], *, expect: int = 200) -> Any:
        return self._send("POST", path, expect=expect, json=body)

    def delete(self, path: str, *, expect: int = 204) -> Any:
        return self._send("DELETE", path, expect=expect)

    def as_bearer_of(self, token: str) -> "Api":
        return replace(self, token=token)

    def log_in(self, email: str, password: str) -> "Api":
        answer = self.post(f"{PREFIX}/auth/login", {"email": email, "password": password})
        return self.as_bearer_of(answer["access_token"])

    def _send(self, method: str, path: str, *, expect: int, **content: Any) -> Any:
        headers = {"Accept": "application/json", "X-Correlation-ID": self.correlation_id}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        try:
            answer = urllib3.request(
                method, self.url + path, headers=headers, timeout=15, retries=PATIENCE, **content
            )
        except urllib3.exceptions.HTTPError as error:
            raise StoryFailed(f"{method} {self.url}{path}: {error}") from error
        if answer.status != expect:
            said = answer.data.decode(errors="replace")[:600]
            raise StoryFailed(f"{method} {path} answered {answer.status}, not {expect}: {said}")
        return json.loads(answer.data, parse_float=Decimal) if answer.data else None


def wait_for(what: str, look: Callable[[], T | None], *, seconds: float = 60) -> T:
    """What `look` finds, looking once a second."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if (found := look()) is not None:
            return found
        time.sleep(1)
    raise StoryFailed(f"{what} did not happen within {seconds:.0f} s")


def require(what: str, found: object, wanted: object) -> None:
    if found != wanted:
        raise StoryFailed(f"{what} is {found!r}, not {wanted!r}")
