"""The whole story over HTTP: from an outage to settled money, told with evidence."""
