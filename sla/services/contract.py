"""What is asked of the SLA contract, and how it stands to our own policies."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.utils import timezone

from apexchainx import context
from apexchainx.stellar import soroban
from apexchainx.stellar.soroban import Config, Health, Roles, Standing
from outages.models import Severity
from sla.models import ContractInvocation, PolicyVersion, SLAResult
from sla.policy import Terms

# In which the contract can at least be asked and governed.
OPEN = {Standing.READY, Standing.PAUSED}


def is_in_charge() -> bool:
    """Whether the contract judges beside our own arithmetic."""
    return bool(settings.CONTRACT_EXECUTION_MODE == "soroban_rpc")


def ask_all(results: Iterable[SLAResult]) -> None:
    """Have the contract judge these, too, where it is in charge; the signer carries the question to it."""
    if not is_in_charge():
        for result in results:
            ask_nothing(result)
        return
    ContractInvocation.objects.bulk_create(
        ContractInvocation(
            result=result,
            account=settings.STELLAR_CONTRACT_OPERATOR_ADDRESS,
            correlation_id=context.current().correlation_id,
        )
        for result in results
    )


def ask_nothing(result: SLAResult) -> None:
    """The result is new, so that there is nothing to look for."""
    ContractInvocation._meta.get_field("result").remote_field.set_cached_value(result, None)


@dataclass(frozen=True, slots=True)
class Difference:
    """One severity, as the contract has it and as our policy has it, where there is one."""

    severity: str
    contract: soroban.Terms | None
    policy: PolicyVersion | None

    @property
    def is_equal(self) -> bool:
        return (
            self.policy is not None
            and self.contract is not None
            and whole(self.policy.terms) == self.contract
        )


@dataclass(frozen=True, slots=True)
class Report:
    """How the contract stands; without roles and config where it is not open to questions."""

    health: Health
    roles: Roles | None = None
    config: Config | None = None
    terms: tuple[Difference, ...] = ()

    @property
    def contract_id(self) -> str:
        return settings.STELLAR_CONTRACT_ID

    @property
    def config_version_hash(self) -> str | None:
        """As text: it is too large for a number of JavaScript."""
        return str(self.config.version_hash) if self.config else None

    @property
    def is_usable(self) -> bool:
        """Whether what we judge it would judge alike, and now."""
        return self.health.is_ready and bool(self.terms) and all(each.is_equal for each in self.terms)


def report() -> Report:
    """Asks the contract. Raises Unavailable."""
    health = soroban.health()
    if health.standing not in OPEN:
        return Report(health)
    config = soroban.config()
    return Report(health, soroban.roles(), config, compared(config))


def compared(config: Config) -> tuple[Difference, ...]:
    policies = {policy.severity: policy for policy in PolicyVersion.objects.in_force(timezone.now())}
    return tuple(
        Difference(severity, config.terms.get(severity), policies.get(severity))
        for severity in Severity.values
    )


def whole(terms: Terms) -> soroban.Terms | None:
    """As the contract takes them: it knows no fractions, so terms that have some are none of its."""
    amounts = (terms.penalty_per_minute, terms.reward_base)
    if any(amount != amount.to_integral_value() for amount in map(Decimal, amounts)):
        return None
    penalty, reward = map(int, amounts)
    return soroban.Terms(terms.threshold_minutes, penalty, reward)
