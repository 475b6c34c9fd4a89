"""Who may do what: initialising, the two roles and their hand-overs, pause and freeze."""

from apexchainx.stellar.contract_errors import SLAError
from apexchainx.stellar.sandbox.soroban.contract import storage as keys
from apexchainx.stellar.sandbox.soroban.contract.call import STORAGE_VERSION, Call
from apexchainx.stellar.sandbox.soroban.contract.errors import Refusal
from apexchainx.stellar.sandbox.soroban.contract.storage import Key
from apexchainx.stellar.sandbox.soroban.contract.terms import DEFAULTS
from apexchainx.stellar.sandbox.soroban.contract.values import Address, Bool, PauseInfo, SLAStats, String

MAXIMUM_REASON = 256
COUNTERS = (keys.CALCULATIONS, keys.VIOLATIONS, keys.LAST_CALCULATIONS, keys.LAST_VIOLATIONS)


def initialize(call: Call, admin: Address, operator: Address) -> None:
    """Only the presence of an admin is tested: after `renounce_admin` anybody may initialise anew."""
    if call.storage.get(keys.ADMIN) is not None:
        raise Refusal(SLAError.AlreadyInitialized)
    call.authorise(admin)
    call.authorise(operator)
    call.storage.set(keys.ADMIN, admin)
    call.storage.set(keys.OPERATOR, operator)
    call.storage.set(keys.PAUSED, False)
    call.storage.set(keys.STATS, SLAStats())
    for counter in COUNTERS:
        call.storage.set(counter, 0)
    call.storage.set(keys.HISTORY, [])
    call.storage.set(keys.CONFIGS, dict(DEFAULTS))
    call.storage.set(keys.VERSION, STORAGE_VERSION)


def migrate(call: Call, caller: Address) -> None:
    """Stamps the version on a storage that has none yet, and fills in what is missing there."""
    call.require_role(keys.ADMIN, caller)
    stored = call.storage.get(keys.VERSION) or 0
    if stored == STORAGE_VERSION:
        return
    if stored > STORAGE_VERSION:
        raise Refusal(SLAError.VersionMismatch)
    _set_default(call, keys.PAUSED, False)
    _set_default(call, keys.STATS, SLAStats())
    for counter in COUNTERS:
        _set_default(call, counter, 0)
    _set_default(call, keys.HISTORY, [])
    _set_default(call, keys.CONFIGS, dict(DEFAULTS))
    _set_default(call, keys.CUSTOM_CONFIGS, {})
    call.storage.set(keys.VERSION, STORAGE_VERSION)
    call.publish("migrate_done", caller, stored, STORAGE_VERSION)


def get_admin(call: Call) -> Address:
    call.require_version()
    return call.require(keys.ADMIN)


def get_operator(call: Call) -> Address:
    call.require_version()
    return call.require(keys.OPERATOR)


def get_pending_admin(call: Call) -> Address | None:
    call.require_version()
    return call.storage.get(keys.PENDING_ADMIN)


def get_pending_operator(call: Call) -> Address | None:
    call.require_version()
    return call.storage.get(keys.PENDING_OPERATOR)


def set_operator(call: Call, caller: Address, new_operator: Address) -> None:
    _propose(call, caller, keys.OPERATOR, new_operator, "op_set")


def propose_admin(call: Call, caller: Address, new_admin: Address) -> None:
    _propose(call, caller, keys.PENDING_ADMIN, new_admin, "adm_prop")


def propose_operator(call: Call, caller: Address, new_operator: Address) -> None:
    _propose(call, caller, keys.PENDING_OPERATOR, new_operator, "op_prop")


def accept_admin(call: Call, caller: Address) -> None:
    _accept(call, caller, keys.PENDING_ADMIN, keys.ADMIN, "adm_acc")


def accept_operator(call: Call, caller: Address) -> None:
    _accept(call, caller, keys.PENDING_OPERATOR, keys.OPERATOR, "op_acc")


def cancel_admin_proposal(call: Call, caller: Address) -> None:
    _cancel(call, caller, keys.PENDING_ADMIN, "adm_can")


def cancel_operator_proposal(call: Call, caller: Address) -> None:
    _cancel(call, caller, keys.PENDING_OPERATOR, "op_can")


def renounce_admin(call: Call, caller: Address) -> None:
    _require_governor(call, caller)
    call.storage.remove(keys.ADMIN)
    call.storage.remove(keys.PENDING_ADMIN)
    call.publish("adm_ren", caller)


def pause(call: Call, caller: Address, reason: String) -> None:
    call.require_admin(caller)
    if len(reason.encode(errors="surrogateescape")) > MAXIMUM_REASON:
        raise Refusal(SLAError.InvalidInput)
    call.storage.set(keys.PAUSED, True)
    call.storage.set(keys.PAUSE_INFO, PauseInfo(reason, call.now, caller))
    call.publish("paused", caller, True)


def unpause(call: Call, caller: Address) -> None:
    call.require_admin(caller)
    call.storage.set(keys.PAUSED, False)
    call.storage.remove(keys.PAUSE_INFO)
    call.publish("unpause", caller, False)


def is_paused(call: Call) -> Bool:
    call.require_version()
    return call.is_set(keys.PAUSED)


def get_pause_info(call: Call) -> PauseInfo | None:
    call.require_version()
    return call.storage.get(keys.PAUSE_INFO)


def freeze_config(call: Call, caller: Address) -> None:
    call.require_admin(caller)
    call.storage.set(keys.FROZEN, True)
    call.publish("cfg_frz", caller)


def unfreeze_config(call: Call, caller: Address) -> None:
    call.require_admin(caller)
    call.storage.set(keys.FROZEN, False)
    call.publish("cfg_unfrz", caller)


def is_config_frozen(call: Call) -> Bool:
    call.require_version()
    return call.is_set(keys.FROZEN)


def _require_governor(call: Call, caller: str) -> None:
    """For roles the freeze is tested before the signature."""
    call.require_version()
    call.require_thawed()
    call.require_role(keys.ADMIN, caller)


def _propose(call: Call, caller: str, key: Key[str], address: str, event: str) -> None:
    _require_governor(call, caller)
    call.storage.set(key, address)
    call.publish(event, caller, address)


def _accept(call: Call, caller: str, pending: Key[str], role: Key[str], event: str) -> None:
    call.require_version()
    call.require_thawed()
    call.authorise(caller)
    proposed = call.storage.get(pending)
    if proposed is None:
        raise Refusal(SLAError.NoPendingTransfer)
    if proposed != caller:
        raise Refusal(SLAError.Unauthorized)
    call.storage.set(role, caller)
    call.storage.remove(pending)
    call.publish(event, caller)


def _cancel(call: Call, caller: str, pending: Key[str], event: str) -> None:
    _require_governor(call, caller)
    if call.storage.get(pending) is None:
        raise Refusal(SLAError.NoPendingTransfer)
    call.storage.remove(pending)
    call.publish(event, caller)


def _set_default(call: Call, key: Key[keys.T], value: keys.T) -> None:
    if call.storage.get(key) is None:
        call.storage.set(key, value)
