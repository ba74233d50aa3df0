"""Was a record written by this user here, or by somebody else?

A record is sealed with a key that only this user can read. What a foreign
record names on this machine is not opened unless the user names it too.
"""

import contextlib
import hashlib
import hmac
import json
import os
import pathlib
import secrets
from typing import Any

_BYTES = 32


def seal(value: Any) -> str | None:
    """A seal of a JSON value; `None` if no key can be kept."""
    try:
        return _seal(value, _made_key())
    except OSError:
        return None


def is_own(value: Any, sealed: Any) -> bool:
    """Whether `seal` made this seal of this value for this user."""
    try:
        expected = _seal(value, _key_file().read_bytes())
    except OSError:
        return False
    return isinstance(sealed, str) and hmac.compare_digest(
        expected.encode(), sealed.encode()
    )


def _seal(value: Any, key: bytes) -> str:
    if len(key) != _BYTES:
        raise OSError(f"{_key_file()} is damaged; delete it.")
    content = json.dumps(value, sort_keys=True).encode()
    return hmac.digest(key, content, hashlib.sha256).hex()


def _key_file() -> pathlib.Path:
    state = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return pathlib.Path(state).expanduser() / "vaegan_tf" / "key"


def _made_key() -> bytes:
    """The key; another process may make it at the same time."""
    path = _key_file()
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        own = path.with_name(f"key.{os.getpid()}.{secrets.token_hex(4)}")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with os.fdopen(os.open(own, flags, 0o600), "wb") as file:
            file.write(secrets.token_bytes(_BYTES))
        with contextlib.suppress(FileExistsError):
            os.link(own, path)
        own.unlink()
    return path.read_bytes()
