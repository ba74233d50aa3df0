"""What does an error say, in one line?"""

import re


def one_line(error: BaseException) -> str:
    """All that it says; the name of its type if that is nothing."""
    return " ".join(str(error).split()) or type(error).__name__


def first_line(error: BaseException) -> str:
    """The first line of what it says, without names of a graph's nodes."""
    message = getattr(error, "message", None) or str(error)
    line = re.sub(r"{{.*?}}", "", message).strip().split("\n")[0]
    return line[:400].rstrip(".") or type(error).__name__
