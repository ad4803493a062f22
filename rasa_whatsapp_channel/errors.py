"""The base of all errors. The errors themselves are in the packages that raise them."""


class ChannelError(Exception):
    """Base of every error this package raises; the text is for a person to read."""
