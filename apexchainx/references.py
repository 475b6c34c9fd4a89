"""Short public ids for rows that the database numbers: PAY001, DIS014, DIS1000."""

import re


def reference(prefix: str, number: int) -> str:
    return f"{prefix}{number:03d}"


def number(prefix: str, text: str) -> int | None:
    """The row's number, or None where `text` is not a reference that we would write."""
    found = re.fullmatch(rf"{prefix}(\d{{3,18}})", text)
    if found is None or reference(prefix, int(found[1])) != text:
        return None
    return int(found[1])
