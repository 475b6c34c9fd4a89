"""The same API as one writes it without thinking of speed: serializers, loops, a query for each question."""
