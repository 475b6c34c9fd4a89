"""Outages over HTTP."""
