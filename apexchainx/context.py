"""Who is acting, from where, and under which correlation id: set once per request, task or command."""

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace

CORRELATION_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


@dataclass(frozen=True, slots=True)
class Context:
    """`actor` is a user's id, `service:<id>` or `system`; `source` is api, admin, command or task.

    `impersonator` is the id of the admin who acts in the actor's name, if one does.
    """

    actor: str = "system"
    source: str = "command"
    correlation_id: str = ""
    impersonator: str = ""


_current: ContextVar[Context | None] = ContextVar("apexchainx_context", default=None)


def current() -> Context:
    return _current.get() or Context()


@contextmanager
def acting_as(
    actor: str = "system", *, source: str = "command", correlation_id: str = ""
) -> Iterator[Context]:
    """Everything recorded inside is stated by `actor`; a missing correlation id is made up."""
    here = Context(actor, source, correlation_id or new_correlation_id())
    token = _current.set(here)
    try:
        yield here
    finally:
        _current.reset(token)


def act_as(actor: str, *, impersonator: str = "") -> None:
    """The caller has been authenticated: from here to the end of the request, facts are theirs."""
    _current.set(replace(current(), actor=actor, impersonator=impersonator))


def new_correlation_id() -> str:
    return str(uuid.uuid4())
