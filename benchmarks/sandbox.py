"""How many payments per second does the sandbox ledger apply? `benchmarks/sandbox.py`

Starts a ledger of its own, and lets some payers at once send transactions of 100 USDC payments, one after the
other, over HTTP. Prints the figures and their ratio to the goal of 500 payments per second; exit code 1
where that is missed, or where a payment is missing in the end.
"""

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

from stellar_sdk import Account, Asset, Keypair, Server, TransactionBuilder
from stellar_sdk.client.requests_client import RequestsClient

PASSPHRASE = "ApexChainX Sandbox Ledger ; 2026"  # noqa: S105 - it names the network, it is no secret
OPERATIONS = 100
ENDOWMENT = 1_000_000
GOAL = 500
ROOT = Path(__file__).parent.parent


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--sources", type=int, default=4, help="payers that send at once (default %(default)s)"
    )
    parser.add_argument("--transactions", type=int, default=15, help="of each payer (default %(default)s)")
    parser.add_argument("--period", default="0", help="seconds between ledgers (default: one per submission)")
    given = parser.parse_args()
    with ledger(given.period) as url, closing(client(url)) as server:
        mint, payee, *payers = (funded(url) for _ in range(given.sources + 2))
        usdc = endowed(server, mint, payee, payers)
        before = balance(server, payee)
        envelopes = [prepared(server, payer, payee, usdc, given.transactions) for payer in payers]
        begin = time.perf_counter()
        with ThreadPoolExecutor(given.sources) as pool:
            list(pool.map(lambda each: send(url, each), envelopes))
        elapsed = time.perf_counter() - begin
        arrived = balance(server, payee) - before
    payments = given.sources * given.transactions * OPERATIONS
    rate = payments / elapsed
    say(f"payments   {payments} in transactions of {OPERATIONS}, {elapsed:.2f} s")
    say(f"per second {rate:.0f}")
    say(f"ratio      {rate / GOAL:.2f} of {GOAL}")
    if arrived != payments:
        say(f"{payments} sent, {arrived} arrived")
    return int(rate < GOAL or arrived != payments)


@contextmanager
def ledger(period: str) -> Iterator[str]:
    """A ledger in a process of its own, with an empty file."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = str(free.getsockname()[1])
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder, "ledger.sqlite3"))
        command = [sys.executable, "manage.py", "sandbox_ledger", "--port", port, "--file", file]
        with subprocess.Popen(  # noqa: S603
            [*command, "--period", period],
            cwd=ROOT,
            env={"DEBUG": "true", **os.environ},
            stdout=subprocess.PIPE,
        ) as child:
            try:
                if not child.stdout or not child.stdout.readline():
                    raise SystemExit("The ledger did not start.")
                yield f"http://127.0.0.1:{port}"
            finally:
                child.terminate()


def client(url: str) -> Server:
    return Server(url, RequestsClient(num_retries=0, request_timeout=30, post_timeout=60))


def funded(url: str) -> Keypair:
    """A new account with 10,000 XLM."""
    keypair = Keypair.random()
    with closing(RequestsClient()) as http:
        answer = http.get(f"{url}/friendbot", {"addr": keypair.public_key})
    if answer.status_code != 200:
        raise SystemExit(f"Friendbot answered {answer.status_code}.")
    return keypair


def endowed(server: Server, mint: Keypair, payee: Keypair, payers: list[Keypair]) -> Asset:
    """All of them trust a new asset, and the payers hold some of it."""
    usdc = Asset("USDC", mint.public_key)
    builder = TransactionBuilder(server.load_account(mint), PASSPHRASE).add_time_bounds(0, 0)
    for each in (payee, *payers):
        builder.append_change_trust_op(usdc, source=each.public_key)
    for each in payers:
        builder.append_payment_op(each.public_key, usdc, str(ENDOWMENT))
    envelope = builder.build()
    for each in (mint, payee, *payers):
        envelope.sign(each)
    server.submit_transaction(envelope, skip_memo_required_check=True)
    return usdc


def balance(server: Server, owner: Keypair) -> int:
    """Whole units of the asset."""
    line, _ = server.accounts().account_id(owner.public_key).call()["balances"]
    return int(line["balance"].partition(".")[0])


def prepared(server: Server, payer: Keypair, payee: Keypair, usdc: Asset, number: int) -> list[str]:
    """Signed envelopes with numbers one after the other; signing is not what is measured."""
    account = server.load_account(payer.public_key)
    return [signed(account, payer, payee, usdc) for _ in range(number)]


def signed(account: Account, payer: Keypair, payee: Keypair, usdc: Asset) -> str:
    builder = TransactionBuilder(account, PASSPHRASE).add_time_bounds(0, 0).add_text_memo("benchmark")
    for _ in range(OPERATIONS):
        builder.append_payment_op(payee.public_key, usdc, "1")
    envelope = builder.build()
    envelope.sign(payer)
    return envelope.to_xdr()


def send(url: str, envelopes: list[str]) -> None:
    with closing(client(url)) as server:
        for each in envelopes:
            server.submit_transaction(each, skip_memo_required_check=True)


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
