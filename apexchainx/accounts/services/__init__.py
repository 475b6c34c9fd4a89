"""Entering, leaving, and what an account may do for itself."""
