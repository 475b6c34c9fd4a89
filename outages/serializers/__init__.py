"""Outages as clients write and read them."""
