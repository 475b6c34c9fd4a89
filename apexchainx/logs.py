"""Log lines that carry the correlation id and never a secret."""

import logging
import re
from typing import Any

import structlog

from apexchainx import context

SECRETS = re.compile(r"\bS[A-Z2-7]{55}\b|\bwhsec_[A-Za-z0-9+/=]{20,}|\beyJ[\w-]+\.[\w-]+\.[\w-]+|\bak_[\w-]{40,}")


def redact(text: str) -> str:
    return SECRETS.sub("[redacted]", text)


class SafeContextFilter(logging.Filter):
    """Redacts seeds, tokens and keys, and adds who acts under which correlation id."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redact(record.getMessage()), None
        here = context.current()
        record.correlation_id, record.actor = here.correlation_id, here.actor
        return True


def formatter(*, as_json: bool) -> logging.Formatter:
    """JSON lines for machines, aligned text for a terminal."""
    final: Any = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False)
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.stdlib.ExtraAdder(allow=("correlation_id", "actor")),
            structlog.processors.format_exc_info,
        ],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, final],
    )
