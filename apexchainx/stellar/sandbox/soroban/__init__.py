"""Soroban on the sandbox ledger: one deployed contract, and the JSON-RPC that programs reach it by."""
