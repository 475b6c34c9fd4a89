"""What NOC staff see of outages, and do about them."""

from outages.admin import maintenance, outages, rca

__all__ = ["maintenance", "outages", "rca"]
