"""Log lines that carry the correlation id and never a secret."""

import logging
import re
from collections.abc import MutableMapping
from typing import Any

import structlog

from apexchainx import context

# Where a request keeps its context for lines that are written when it is over.
CONTEXT = "apexchainx.context"
# Seeds, webhook secrets, tokens, API keys and hashes by their form, and the password in a URL.
SHAPED = re.compile(
    r"\bS[A-Z2-7]{55}\b|\bwhsec_[\w+/=-]+|\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?|\bak_[\w-]{20,}"
    r"|\b(?:bcrypt|pbkdf2)_\w+\$\S+|(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"
)
# Whatever stands after a telling name: `password=x`, `'token': 'x'`, `{\"secret\": \"x\"}`, `['x']`.
NAMED = re.compile(
    r"""(?i)((?:password|passwd|secret|token|api_?key|authorization)\w*(?:\\?["'])?\s*[:=]\s*\[?)"""
    r"""(?:(\\?["']).*?\2|(?:bearer\s+)?[^\s"'\\,;)}\]]+)"""
)


def redact(text: str) -> str:
    return NAMED.sub(r"\1[redacted]", SHAPED.sub("[redacted]", text))


class SafeFormatter(structlog.stdlib.ProcessorFormatter):
    """Redaction is the last step, so that it also sees tracebacks."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def add_context(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    request = getattr(line.get("_record"), "request", None)
    here = getattr(request, "META", {}).get(CONTEXT) or context.current()
    return {**line, "correlation_id": here.correlation_id, "actor": here.actor}


def formatter(*, as_json: bool) -> logging.Formatter:
    """JSON lines for machines, aligned text for a terminal."""
    final: Any = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False)
    )
    return SafeFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            add_context,
            structlog.processors.format_exc_info,
        ],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, final],
    )
