"""getLedgerEntries: accounts, trustlines and the contract, as they stand now."""

from stellar_sdk import Asset, Keypair
from stellar_sdk.xdr import (
    AccountEntry,
    AccountEntryExt,
    AccountID,
    Int64,
    LedgerEntryData,
    LedgerEntryType,
    LedgerKey,
    LedgerKeyTrustLine,
    SequenceNumber,
    String32,
    Thresholds,
    TrustLineEntry,
    TrustLineEntryExt,
    Uint32,
)

from apexchainx.stellar.sandbox.documents import Document
from apexchainx.stellar.sandbox.ledger import Ledger, latest
from apexchainx.stellar.sandbox.soroban import instance, tables
from apexchainx.stellar.sandbox.soroban.rpc.parameters import Parameters, invalid
from apexchainx.stellar.sandbox.store import Account, Store

MOST_KEYS = 200
LIFETIME = 3_110_400
NULL_ACCOUNT = "GAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAWHF"
Found = tuple[LedgerEntryData, int]


def ledger_entries(ledger: Ledger, parameters: Parameters) -> Document:
    keys = parameters.texts("keys")
    if len(keys) > MOST_KEYS:
        raise invalid(f"key count ({len(keys)}) exceeds maximum supported ({MOST_KEYS})")
    parsed = [(each, _key(each)) for each in keys]
    with ledger.reading() as store:
        sequence = latest(store).sequence
        found = [(text, key, entry) for text, key in parsed if (entry := _entry(store, key))]
    records = [_record(text, key, entry, sequence) for text, key, entry in found]
    return {"entries": records, "latestLedger": sequence}


def _key(text: str) -> LedgerKey:
    try:
        return LedgerKey.from_xdr(text)
    except Exception as error:
        raise invalid(f"cannot unmarshal key value {text[:100]}") from error


def _record(text: str, key: LedgerKey, found: Found, sequence: int) -> Document:
    entry, modified = found
    record = {"key": text, "xdr": entry.to_xdr(), "lastModifiedLedgerSeq": modified}
    if key.contract_data is not None:
        record["liveUntilLedgerSeq"] = sequence + LIFETIME
    return record


def _entry(store: Store, key: LedgerKey) -> Found | None:
    if key == instance.KEY:
        return instance.entry(tables.storage(store)), tables.modified(store)
    if key.account is not None:
        return _account(store, key.account.account_id)
    return _trustline(store, key.trust_line) if key.trust_line is not None else None


def _account(store: Store, id_: AccountID) -> Found | None:
    """Clients simulate in the name of the null account, and look it up before."""
    address = _address(id_)
    row = store.account(address)
    if row is not None:
        return LedgerEntryData(LedgerEntryType.ACCOUNT, account=_account_entry(id_, row)), row.modified
    if address != NULL_ACCOUNT:
        return None
    return LedgerEntryData(LedgerEntryType.ACCOUNT, account=_account_entry(id_, None)), 1


def _account_entry(id_: AccountID, row: Account | None) -> AccountEntry:
    """Without its signers."""
    weights = (row.master, row.low, row.medium, row.high) if row else (1, 0, 0, 0)
    return AccountEntry(
        account_id=id_,
        balance=Int64(row.balance if row else 0),
        seq_num=SequenceNumber(Int64(row.sequence if row else 0)),
        num_sub_entries=Uint32(row.subentries if row else 0),
        inflation_dest=None,
        flags=Uint32(row.flags if row else 0),
        home_domain=String32(row.home_domain.encode() if row else b""),
        thresholds=Thresholds(bytes(weights)),
        signers=[],
        ext=AccountEntryExt(0),
    )


def _trustline(store: Store, key: LedgerKeyTrustLine) -> Found | None:
    if key.asset.alpha_num4 is None and key.asset.alpha_num12 is None:
        return None
    asset = Asset.from_xdr_object(key.asset)
    line = store.line(_address(key.account_id), asset.code, asset.issuer or "")
    if line is None:
        return None
    entry = TrustLineEntry(
        account_id=key.account_id,
        asset=key.asset,
        balance=Int64(line.balance),
        limit=Int64(line.ceiling),
        flags=Uint32(line.flags),
        ext=TrustLineEntryExt(0),
    )
    return LedgerEntryData(LedgerEntryType.TRUSTLINE, trust_line=entry), line.modified


def _address(id_: AccountID) -> str:
    key = id_.account_id.ed25519
    if key is None:
        raise invalid("not an account's key")
    return Keypair.from_raw_ed25519_public_key(key.uint256).public_key
