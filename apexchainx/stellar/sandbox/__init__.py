"""A local ledger that speaks Horizon's language, for laptops, demos and tests."""

PASSPHRASE = "ApexChainX Sandbox Ledger ; 2026"  # noqa: S105 - it names the network, it is no secret
