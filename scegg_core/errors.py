"""The one exception that means "the user can mend this": its text is a full sentence with place and value."""


class InputError(ValueError):
    """Bad input: the message names the file or setting, the value found, and what was expected."""
