import pytest

from apexchainx.references import number, reference


@pytest.mark.parametrize(
    ("row", "text"),
    [(1, "PAY001"), (42, "PAY042"), (999, "PAY999"), (1000, "PAY1000"), (10**17, "PAY1" + "0" * 17)],
)
def test_a_reference_leads_back_to_its_row(row: int, text: str) -> None:
    assert reference("PAY", row) == text
    assert number("PAY", text) == row


LIKE_ONE = [
    "",
    "PAY",
    "PAY1",
    "PAY01",
    "PAY0001",
    "pay001",
    "DIS001",
    " PAY001",
    "PAY001 ",
    "PAY001\n",
    "PAY-01",
]


@pytest.mark.parametrize(
    "text", [*LIKE_ONE, "PAY\u0661\u0662\u0663", "PAY1e3", "PAY" + "9" * 19, "PAY" + "9" * 5_000]
)
def test_what_we_would_not_write_names_no_row(text: str) -> None:
    assert number("PAY", text) is None
