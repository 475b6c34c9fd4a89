"""Numbers of the network, amounts in stroops: ten million of them are one unit."""

UNIT = 10_000_000
BASE_FEE = 100
BASE_RESERVE = UNIT // 2
TOTAL = 100_000_000_000 * UNIT
FRIENDBOT_GIFT = 10_000 * UNIT
MAXIMUM = 2**63 - 1


def as_text(stroops: int) -> str:
    """The amount as Horizon writes it: seven places, always."""
    return f"{stroops // UNIT}.{stroops % UNIT:07d}"
