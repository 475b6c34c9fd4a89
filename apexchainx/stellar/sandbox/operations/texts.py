"""The texts that stellar-core takes for names."""


def is_printable(text: str) -> bool:
    """ASCII without control characters."""
    return text.isascii() and not any(ord(each) < 0x20 or ord(each) == 0x7F for each in text)
