"""Does the time of a refused login tell who has an account? `benchmarks/login.py http://127.0.0.1:8000`

Registers some accounts, then sends wrong passwords for them and for addresses without an account, in turn;
each address gets four, since the fifth locks it. Prints both medians and their ratio; exit code 1 where they
are more than 10 % apart. The server must run with REGISTRATION_MODE=open, RATE_LIMIT_AUTH=0 and
RATE_LIMIT_ANONYMOUS=0.
"""

import argparse
import secrets
import sys
import time
from statistics import median

import urllib3

PREFIX = "/api/v1/auth"
TRIES = 4
FARTHEST = 0.1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("url", help="where the API answers")
    parser.add_argument("--addresses", type=int, default=13, help="of each kind; each is tried four times")
    given = parser.parse_args()
    known, unknown = (
        [f"{secrets.token_hex(8)}@example.com" for _ in range(given.addresses)] for _ in range(2)
    )
    for email in known:
        send(f"{given.url}{PREFIX}/register", email, expect=201)
    times: dict[str, list[float]] = {"known": [], "unknown": []}
    for _ in range(TRIES):
        for one, other in zip(known, unknown, strict=True):
            for kind, email in (("known", one), ("unknown", other)):
                times[kind].append(send(f"{given.url}{PREFIX}/login", email, expect=401))
    middles = {kind: median(seconds) for kind, seconds in times.items()}
    ratio = middles["known"] / middles["unknown"]
    for kind, middle in middles.items():
        say(f"{kind:<8} {len(times[kind])} times, median {middle * 1000:.1f} ms")
    say(f"ratio    {ratio:.3f}")
    return int(abs(ratio - 1) > FARTHEST)


def send(url: str, email: str, *, expect: int) -> float:
    """Seconds until the answer to an address with a fresh password."""
    password = f"Aa1-{secrets.token_hex(8)}"
    begin = time.perf_counter()
    answer = urllib3.request("POST", url, json={"email": email, "password": password}, retries=False)
    elapsed = time.perf_counter() - begin
    if answer.status != expect:
        raise SystemExit(f"POST {url} answered {answer.status}, not {expect}: {answer.data.decode()[:300]}")
    return elapsed


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
