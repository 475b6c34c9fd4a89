"""Who has signed an envelope, and whether their weights suffice."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

from stellar_sdk import DecoratedSignature, Keypair, SignerKey
from stellar_sdk.exceptions import BadSignatureError
from stellar_sdk.signer_key import SignerKeyType

Weights = dict[str, int]
Verify = Callable[[DecoratedSignature, SignerKey, bytes], bool]


class Signatures:
    """An envelope's signatures, and which of them have been needed so far."""

    def __init__(self, digest: bytes, signatures: Sequence[DecoratedSignature]) -> None:
        self._digest = digest
        self._signatures = signatures
        self._used: set[int] = set()
        self._reached: dict[tuple[tuple[str, int], ...], int] = {}

    def reach(self, weights: Weights, needed: int) -> bool:
        """Whether the keys that have signed weigh enough. Where 0 is needed, one must have signed still."""
        names = tuple(weights.items())
        if self._reached.get(names, -1) >= needed:
            return True
        has_enough = self._weigh(weights, needed)
        if has_enough:
            self._reached[names] = needed
        return has_enough

    def have(self, key: SignerKey) -> bool:
        return self.reach({key.encoded_signer_key: 1}, 1)

    @property
    def are_all_used(self) -> bool:
        return len(self._used) == len(self._signatures)

    def _weigh(self, weights: Weights, needed: int) -> bool:
        """What comes after enough is not looked at: a signature that was not needed is one too many."""
        total = 0
        for weight in self._found(weights):
            total += weight
            if total >= needed:
                return True
        return False

    def _found(self, weights: Weights) -> Iterator[int]:
        """The weight of each key that has signed, by kind and signature, in stellar-core's order."""
        keys = [(SignerKey.from_encoded_signer_key(name), weight) for name, weight in weights.items()]
        for key, weight in keys:
            if key.signer_key_type == PRE_AUTHORIZED and key.signer_key == self._digest:
                yield weight
        for kind, verify in VERIFIERS.items():
            left = [each for each in keys if each[0].signer_key_type == kind]
            for index, signature in enumerate(self._signatures):
                found = next((each for each in left if verify(signature, each[0], self._digest)), None)
                if found:
                    left.remove(found)
                    self._used.add(index)
                    yield found[1]


def _has_preimage(signature: DecoratedSignature, key: SignerKey, _digest: bytes) -> bool:
    is_meant = signature.signature_hint == key.signer_key[-4:]
    return is_meant and hashlib.sha256(signature.signature).digest() == key.signer_key


def _has_signed(signature: DecoratedSignature, key: SignerKey, digest: bytes) -> bool:
    keypair = Keypair.from_raw_ed25519_public_key(key.signer_key)
    return signature.signature_hint == keypair.signature_hint() and _verifies(keypair, digest, signature)


def _has_signed_payload(signature: DecoratedSignature, key: SignerKey, _digest: bytes) -> bool:
    """The hint is the key's, mixed with the payload's last bytes."""
    signer = key.to_signed_payload_signer()
    keypair = Keypair.from_public_key(signer.account_id)
    tail = signer.payload[-4:].ljust(4, bytes(1))
    hint = bytes(one ^ other for one, other in zip(keypair.signature_hint(), tail, strict=True))
    return signature.signature_hint == hint and _verifies(keypair, signer.payload, signature)


def _verifies(keypair: Keypair, signed: bytes, signature: DecoratedSignature) -> bool:
    with suppress(BadSignatureError):
        keypair.verify(signed, signature.signature)
        return True
    return False


PRE_AUTHORIZED = SignerKeyType.SIGNER_KEY_TYPE_PRE_AUTH_TX
VERIFIERS: dict[SignerKeyType, Verify] = {
    SignerKeyType.SIGNER_KEY_TYPE_HASH_X: _has_preimage,
    SignerKeyType.SIGNER_KEY_TYPE_ED25519: _has_signed,
    SignerKeyType.SIGNER_KEY_TYPE_ED25519_SIGNED_PAYLOAD: _has_signed_payload,
}
