"""What a call may touch and use: its footprint, its limits, and the fee for them."""

from collections.abc import Iterable

from stellar_sdk import Address
from stellar_sdk.xdr import (
    ContractDataDurability,
    Int64,
    LedgerEntryType,
    LedgerFootprint,
    LedgerKey,
    LedgerKeyContractData,
    SCNonceKey,
    SCVal,
    SCValType,
    SorobanResources,
    SorobanTransactionData,
    SorobanTransactionDataExt,
    Uint32,
)

from apexchainx.stellar.sandbox.soroban import instance
from apexchainx.stellar.sandbox.soroban.authorization import Nonce
from apexchainx.stellar.sandbox.soroban.contract.errors import Trap

RESOURCE_FEE = 5_000
INSTRUCTIONS = 2_000_000
WRITE_BYTES = LARGEST_ENTRY = 65_536


def needed(*, writes: bool, nonces: Iterable[Nonce]) -> SorobanTransactionData:
    """What a simulation says that the transaction must carry."""
    written = [instance.KEY] if writes else []
    footprint = LedgerFootprint(
        [] if writes else [instance.KEY], written + [nonce_key(each) for each in nonces]
    )
    resources = SorobanResources(
        footprint=footprint,
        instructions=Uint32(INSTRUCTIONS),
        disk_read_bytes=Uint32(0),
        write_bytes=Uint32(WRITE_BYTES if footprint.read_write else 0),
    )
    return SorobanTransactionData(SorobanTransactionDataExt(0), resources, Int64(RESOURCE_FEE))


def require_footprint(data: SorobanTransactionData, *, writes: bool, nonces: Iterable[Nonce]) -> None:
    """Traps where the call touches more than it has declared."""
    footprint = data.resources.footprint
    readable = footprint.read_write if writes else [*footprint.read_only, *footprint.read_write]
    wanted = [nonce_key(each) for each in nonces]
    if instance.KEY not in readable or any(each not in footprint.read_write for each in wanted):
        message = "trying to access contract data key outside of the footprint"
        raise Trap("Storage", "ExceededLimit", message)


def are_enough(data: SorobanTransactionData, *, writes: bool) -> bool:
    """Whether the declared limits hold for the call."""
    resources = data.resources
    is_enough = resources.instructions.uint32 >= INSTRUCTIONS
    return is_enough and (not writes or resources.write_bytes.uint32 >= WRITE_BYTES)


def nonce_key(nonce: Nonce) -> LedgerKey:
    key = SCVal(SCValType.SCV_LEDGER_KEY_NONCE, nonce_key=SCNonceKey(Int64(nonce.value)))
    contract_data = LedgerKeyContractData(
        contract=Address(nonce.address).to_xdr_sc_address(),
        key=key,
        durability=ContractDataDurability.TEMPORARY,
    )
    return LedgerKey(LedgerEntryType.CONTRACT_DATA, contract_data=contract_data)
