"""Texts from untrusted files, and of errors about them, made safe to show: one line, short, no control characters."""


def one_line(text, most=200):
    """A text on one line, without control characters, of at most `most` letters."""
    text = str(text)[: 4 * most]
    text = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return text if len(text) <= most else f"{text[: most - 3]}..."


def shown_names(names, most=8):
    """Names from a file: the first few, and how many more there are."""
    names = [one_line(name, 60) for name in names]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def reason(error):
    """Why reading failed, in one line: the text of an error, or its kind where it has none."""
    # A value of the file itself, such as the key of a KeyError, can be nested so that its text would never end.
    return one_line(" ".join(part for part in error.args if isinstance(part, str))) or type(error).__name__
