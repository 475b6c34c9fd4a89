"""From minutes to a result under the policy in force; the calendars of policies stand beside it."""

from sla.services.evaluation import (
    Governing,
    evaluate,
    evaluate_all,
    policy_for,
    preview,
    result_of,
)

__all__ = ["Governing", "evaluate", "evaluate_all", "policy_for", "preview", "result_of"]
