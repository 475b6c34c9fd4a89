"""Orders to the SLA contract: who governs it, and who calls it. The signer carries them to the network."""

from uuid import UUID

from django.conf import settings
from django.db import transaction
from django_celery_results.models import TaskResult

from apexchainx import context
from apexchainx.errors import Conflict, Invalid
from apexchainx.jobs.orders import open_job
from apexchainx.stellar.keys import is_address
from audit.events import Event
from audit.log import record
from payments import tasks
from payments.settlement.answers import told
from sla.models import ContractInvocation
from sla.services.contract import is_in_charge

ADDRESSED = {"propose_admin": "new_admin", "propose_operator": "new_operator"}


@transaction.atomic
def order(function: str, address: str = "") -> TaskResult:
    """Have the contract's function called; the job that is answered will hold the transaction's hash.

    Raises Invalid for what is no address, and Conflict where no contract is configured.
    """
    if function in ADDRESSED and not is_address(address):
        raise Invalid(ADDRESSED[function], "Give an account's address: G and 55 more characters.")
    caller = refuse_unconfigured(function)
    job = open_job(f"contract.{function}", queue="signer")
    row = ContractInvocation.objects.create(
        function=function,
        argument=address,
        job_id=UUID(job.task_id),
        account=caller,
        correlation_id=context.current().correlation_id,
    )
    record(Event.CONTRACT_ORDERED, f"contract:{function}", stream="contract", **told(row))
    transaction.on_commit(tasks.ring_contract, robust=True)
    return job


def refuse_unconfigured(function: str = "") -> str:
    """Whose call it is. Raises Conflict in local mode, or where nobody says who that is."""
    is_operators = function == "accept_operator"
    name = f"STELLAR_CONTRACT_{'OPERATOR' if is_operators else 'ADMIN'}_ADDRESS"
    caller: str = getattr(settings, name)
    if not is_in_charge():
        message = "No contract is in charge here: CONTRACT_EXECUTION_MODE is local_adapter."
    elif function and not caller:
        message = f"Nobody can give this order: {name} is not set."
    else:
        return caller
    raise Conflict(message, code="CONTRACT_NOT_CONFIGURED")
