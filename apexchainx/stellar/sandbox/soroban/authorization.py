"""Who has signed a call: the transaction's source by sending it, everybody else by an entry of their own."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from stellar_sdk import Address, Keypair, scval
from stellar_sdk.auth import build_authorization_preimage
from stellar_sdk.exceptions import BadSignatureError
from stellar_sdk.xdr import (
    Int64,
    InvokeContractArgs,
    SCVal,
    SorobanAddressCredentials,
    SorobanAuthorizationEntry,
    SorobanAuthorizedFunction,
    SorobanAuthorizedFunctionType,
    SorobanAuthorizedInvocation,
    SorobanCredentials,
    SorobanCredentialsType,
    Uint32,
)

from apexchainx.stellar.sandbox import PASSPHRASE
from apexchainx.stellar.sandbox.soroban import tables
from apexchainx.stellar.sandbox.soroban.contract.errors import Trap
from apexchainx.stellar.sandbox.soroban.scvals import VOID
from apexchainx.stellar.sandbox.store import Store

LONGEST_SIGNATURE = 3_110_400
"""Ledgers that a signature may stay valid."""


@dataclass(frozen=True)
class Nonce:
    address: str
    value: int
    expires: int


class Authority(Protocol):
    """What is asked when the contract requires an address to have signed."""

    nonces: list[Nonce]

    def authorise(self, address: str) -> None: ...


def invocation(arguments: InvokeContractArgs) -> SorobanAuthorizedInvocation:
    """The call itself, with no calls inside it."""
    kind = SorobanAuthorizedFunctionType.SOROBAN_AUTHORIZED_FUNCTION_TYPE_CONTRACT_FN
    return SorobanAuthorizedInvocation(
        function=SorobanAuthorizedFunction(kind, contract_fn=arguments), sub_invocations=[]
    )


@dataclass
class Recording:
    """Believes everybody, and notes which entries would be needed."""

    source: str
    arguments: InvokeContractArgs
    entries: list[SorobanAuthorizationEntry] = field(default_factory=list)
    nonces: list[Nonce] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def authorise(self, address: str) -> None:
        if address in self.seen:
            raise _twice()
        self.seen.add(address)
        if address == self.source:
            credentials = SorobanCredentials(SorobanCredentialsType.SOROBAN_CREDENTIALS_SOURCE_ACCOUNT)
        else:
            credentials = self._unsigned(address)
        self.entries.append(SorobanAuthorizationEntry(credentials, invocation(self.arguments)))

    def _unsigned(self, address: str) -> SorobanCredentials:
        nonce = secrets.randbits(63)
        self.nonces.append(Nonce(address, nonce, 0))
        entry = SorobanAddressCredentials(Address(address).to_xdr_sc_address(), Int64(nonce), Uint32(0), VOID)
        return SorobanCredentials(SorobanCredentialsType.SOROBAN_CREDENTIALS_ADDRESS, address=entry)


@dataclass
class Enforcing:
    """Believes an entry for exactly this call, once."""

    store: Store
    sequence: int
    source: str
    arguments: InvokeContractArgs
    entries: Sequence[SorobanAuthorizationEntry]
    nonces: list[Nonce] = field(default_factory=list)
    used: set[int] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)

    def authorise(self, address: str) -> None:
        for index, entry in enumerate(self.entries):
            if index in self.used or not self._is_for(entry, address):
                continue
            credentials = address_credentials(entry.credentials)
            if credentials is not None:
                self._verify(entry, credentials, address)
            self.used.add(index)
            self.seen.add(address)
            return
        raise _twice() if address in self.seen else _unauthorised("Unauthorized function call for address")

    def _is_for(self, entry: SorobanAuthorizationEntry, address: str) -> bool:
        credentials = address_credentials(entry.credentials)
        signer = Address.from_xdr_sc_address(credentials.address).address if credentials else self.source
        return signer == address and entry.root_invocation == invocation(self.arguments)

    def _verify(
        self, entry: SorobanAuthorizationEntry, credentials: SorobanAddressCredentials, address: str
    ) -> None:
        nonce, expires = credentials.nonce.int64, credentials.signature_expiration_ledger.uint32
        if not self.sequence <= expires <= self.sequence + LONGEST_SIGNATURE:
            raise _unauthorised("signature has expired")
        if tables.is_nonce_used(self.store, address, nonce) or any(
            (each.address, each.value) == (address, nonce) for each in self.nonces
        ):
            raise Trap("Auth", "ExistingValue", "nonce already exists for address")
        preimage = build_authorization_preimage(entry, expires, PASSPHRASE)
        payload = hashlib.sha256(preimage.to_xdr_bytes()).digest()
        self._verify_signatures(credentials.signature, payload, address)
        self.nonces.append(Nonce(address, nonce, expires))

    def _verify_signatures(self, signature: SCVal, payload: bytes, address: str) -> None:
        """Every signature must be right, and their weights must reach the account's medium threshold."""
        account = self.store.account(address)
        if account is None:
            raise Trap("Auth", "MissingValue", "account entry is missing")
        weights = {**self.store.signers(address), address: account.master}
        keys = {_verified(each, payload) for each in _signatures(signature)}
        if not keys <= weights.keys() or sum(map(weights.__getitem__, keys)) < max(1, account.medium):
            raise _unauthorised("signature weight is lower than threshold")


def address_credentials(credentials: SorobanCredentials) -> SorobanAddressCredentials | None:
    """None for those of the source account. Delegates are not supported."""
    kinds = SorobanCredentialsType
    if credentials.type == kinds.SOROBAN_CREDENTIALS_SOURCE_ACCOUNT:
        return None
    if credentials.type == kinds.SOROBAN_CREDENTIALS_ADDRESS_WITH_DELEGATES:
        raise _unauthorised("delegated signatures are not supported")
    return credentials.address or credentials.address_v2


def _signatures(signature: SCVal) -> list[dict[str, Any]]:
    """A vector of maps, each with a key and what it has signed."""
    pairs = scval.to_native(signature)
    if isinstance(pairs, list) and pairs and all(map(_is_pair, pairs)):
        return pairs
    raise _unauthorised("account signatures have another form")


def _is_pair(value: object) -> bool:
    return isinstance(value, dict) and value.keys() == {"public_key", "signature"}


def _verified(pair: dict[str, Any], payload: bytes) -> str:
    """The address whose signature this is."""
    try:
        keypair = Keypair.from_raw_ed25519_public_key(pair["public_key"])
        keypair.verify(payload, pair["signature"])
    except (BadSignatureError, ValueError, TypeError):
        raise Trap("Crypto", "InvalidInput", "failed ED25519 verification") from None
    return keypair.public_key


def _unauthorised(message: str) -> Trap:
    return Trap("Auth", "InvalidAction", message)


def _twice() -> Trap:
    return Trap("Auth", "ExistingValue", "frame is already authorized")
