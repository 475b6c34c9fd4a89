"""Soroban's JSON-RPC: one function per method, behind one door."""

from apexchainx.stellar.sandbox.soroban.rpc.door import answer

__all__ = ["answer"]
