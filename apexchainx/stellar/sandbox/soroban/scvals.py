"""Between the contract's types and the values of the wire."""

from collections.abc import Callable, Sequence
from dataclasses import is_dataclass
from typing import Any, cast, get_args, get_origin

from stellar_sdk import scval
from stellar_sdk.xdr import SCVal, SCValType

from apexchainx.stellar.sandbox.soroban.contract.errors import Trap
from apexchainx.stellar.sandbox.soroban.contract.storage import field_types, is_optional, scalar_of
from apexchainx.stellar.sandbox.soroban.contract.values import Scalar, symbol

VOID = scval.to_void()


def _string(text: str) -> SCVal:
    return scval.to_string(text.encode(errors="surrogateescape"))


def _from_string(value: SCVal) -> str:
    return scval.from_string(value).decode(errors="surrogateescape")


ENCODERS: dict[Scalar, Callable[[Any], SCVal]] = {
    Scalar.ADDRESS: scval.to_address,
    Scalar.BOOL: scval.to_bool,
    Scalar.I128: scval.to_int128,
    Scalar.STRING: _string,
    Scalar.SYMBOL: scval.to_symbol,
    Scalar.U32: scval.to_uint32,
    Scalar.U64: scval.to_uint64,
    Scalar.U128: scval.to_uint128,
}
DECODERS: dict[Scalar, tuple[SCValType, Callable[[SCVal], Any]]] = {
    Scalar.ADDRESS: (SCValType.SCV_ADDRESS, lambda value: scval.from_address(value).address),
    Scalar.I128: (SCValType.SCV_I128, scval.from_int128),
    Scalar.STRING: (SCValType.SCV_STRING, _from_string),
    Scalar.SYMBOL: (SCValType.SCV_SYMBOL, scval.from_symbol),
    Scalar.U32: (SCValType.SCV_U32, scval.from_uint32),
    Scalar.U64: (SCValType.SCV_U64, scval.from_uint64),
}


def encode(hint: Any, value: Any) -> SCVal:
    """A struct is a map by the names of its fields; None is void, whatever else it might have been."""
    if value is None:
        return VOID
    if is_optional(hint):
        hint = next(each for each in get_args(hint) if each is not type(None))
    if (scalar := scalar_of(hint)) is not None:
        return ENCODERS[scalar](value)
    if is_dataclass(hint):
        types = field_types(cast(type, hint))
        return scval.to_struct({name: encode(each, getattr(value, name)) for name, each in types.items()})
    arguments = get_args(hint)
    if get_origin(hint) is dict:
        return scval.to_map({scval.to_symbol(key): encode(arguments[1], each) for key, each in value.items()})
    hints = arguments if get_origin(hint) is tuple else [arguments[0]] * len(value)
    return scval.to_vec([encode(*pair) for pair in zip(hints, value, strict=True)])


def decode(hints: Sequence[Any], values: Sequence[SCVal]) -> list[Any]:
    """The arguments of a call. The host looks at all values before the contract sees how many there are."""
    for value in values:
        _require_symbols(value)
    if len(hints) != len(values):
        raise Trap("WasmVm", "UnexpectedSize", "Func(MismatchingParameterLen)")
    return [_decode(*pair) for pair in zip(hints, values, strict=True)]


def _decode(hint: Any, value: SCVal) -> Any:
    type_, convert = DECODERS[scalar_of(hint)]
    if value.type != type_:
        raise Trap("WasmVm", "InvalidAction", "UnreachableCodeReached")
    return convert(value)


def _require_symbols(value: SCVal) -> None:
    if value.sym is not None:
        symbol(value.sym.sc_symbol.decode(errors="replace"))
    for each in value.vec.sc_vec if value.vec else ():
        _require_symbols(each)
    for entry in value.map.sc_map if value.map else ():
        _require_symbols(entry.key)
        _require_symbols(entry.val)
