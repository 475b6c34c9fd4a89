"""What may happen to an outage."""
