"""The deployed contract as an entry of the ledger: its id, its key, and what stands there."""

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from stellar_sdk import Address, StrKey, scval
from stellar_sdk.xdr import (
    ContractDataDurability,
    ContractDataEntry,
    ContractExecutable,
    ContractExecutableType,
    ExtensionPoint,
    Hash,
    LedgerEntryData,
    LedgerEntryType,
    LedgerKey,
    LedgerKeyContractData,
    SCContractInstance,
    SCMap,
    SCVal,
    SCValType,
)

from apexchainx.stellar.sandbox import PASSPHRASE
from apexchainx.stellar.sandbox.soroban.contract.storage import HISTORY, KEYS, restored
from apexchainx.stellar.sandbox.soroban.contract.values import SLAResult
from apexchainx.stellar.sandbox.soroban.scvals import encode

CONTRACT_ID = StrKey.encode_contract(hashlib.sha256(f"{PASSPHRASE} ; SLA contract".encode()).digest())
WASM_HASH = hashlib.sha256(b"apexchainx_calculator").digest()
KEY = LedgerKey(
    LedgerEntryType.CONTRACT_DATA,
    contract_data=LedgerKeyContractData(
        contract=Address(CONTRACT_ID).to_xdr_sc_address(),
        key=SCVal(SCValType.SCV_LEDGER_KEY_CONTRACT_INSTANCE),
        durability=ContractDataDurability.PERSISTENT,
    ),
)


def entry(rows: Mapping[str, str]) -> LedgerEntryData:
    """The whole of it, from the rows of its storage."""
    values = {scval.to_symbol(key.name): _value(key.hint, rows[key.name]) for key in KEYS if key.name in rows}
    storage = scval.to_map(values).map or SCMap([])
    executable = ContractExecutable(
        ContractExecutableType.CONTRACT_EXECUTABLE_WASM, wasm_hash=Hash(WASM_HASH)
    )
    data = ContractDataEntry(
        ext=ExtensionPoint(0),
        contract=Address(CONTRACT_ID).to_xdr_sc_address(),
        key=SCVal(SCValType.SCV_LEDGER_KEY_CONTRACT_INSTANCE),
        durability=ContractDataDurability.PERSISTENT,
        val=SCVal(
            SCValType.SCV_CONTRACT_INSTANCE,
            instance=SCContractInstance(executable, storage if rows else None),
        ),
    )
    return LedgerEntryData(LedgerEntryType.CONTRACT_DATA, contract_data=data)


def size(rows: Mapping[str, str]) -> int:
    """In bytes of XDR, as the network's limit counts. Results are many, and are measured one by one, once."""
    history = restored(HISTORY.hint, json.loads(rows.get(HISTORY.name, "[]")))
    rest = {key: value for key, value in rows.items() if key != HISTORY.name} | {HISTORY.name: "[]"}
    return len(entry(rest).to_xdr_bytes()) + sum(map(_size_of_result, history))


@lru_cache(maxsize=4096)
def _size_of_result(result: SLAResult) -> int:
    return len(encode(SLAResult, result).to_xdr_bytes())


def _value(hint: Any, row: str) -> SCVal:
    return encode(hint, restored(hint, json.loads(row)))
