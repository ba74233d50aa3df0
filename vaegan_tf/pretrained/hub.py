"""Published folders on the Hugging Face hub, at addresses `hf://owner/name`.

They are folders of plain files there as here. The client of the hub knows
accounts, caches and proxies; its variables `HF_TOKEN`, `HF_HOME` and
`HF_ENDPOINT` apply.
"""

import os
import pathlib
import re
from typing import Any

from vaegan_tf.errors import first_line

FILES = (
    "run.json",
    "card.json",
    "README.md",
    "weights.npz",
    "examples.npz",
    "attributes/vectors.npz",
    "samplers/mixture.npz",
)
_ADDRESS = re.compile(r"hf://([\w.-]+/[\w.-]+)")


def is_address(name: str | os.PathLike) -> bool:
    """Whether a name is meant for the hub."""
    return os.fspath(name).startswith("hf://")


def check_address(address: str) -> None:
    """ValueError if an address is none; ImportError without the client."""
    _repository(address)
    _client()


def download(address: str) -> pathlib.Path:
    """The local copy of a published folder, downloaded if it has changed.

    Raises:
        ValueError: If the address is none.
        OSError: If it cannot be reached, and there is no copy.
    """
    repository, client = _repository(address), _client()
    try:
        folder = client.snapshot_download(repository, allow_patterns=FILES)
    except Exception as error:
        raise _failed("downloaded", address, error) from error
    return pathlib.Path(folder)


def upload(folder: str | os.PathLike, address: str) -> None:
    """Stores a published folder; the repository is made if there is none.

    Raises:
        ValueError: If the address is none.
        OSError: If it cannot be reached, or does not let this user write.
    """
    repository, client = _repository(address), _client()
    try:
        api = client.HfApi()
        api.create_repo(repository, exist_ok=True)
        api.upload_folder(
            repo_id=repository,
            folder_path=os.fspath(folder),
            commit_message="Publish weights",
        )
    except Exception as error:
        raise _failed("uploaded", address, error) from error


def _repository(address: str) -> str:
    match = _ADDRESS.fullmatch(address)
    if not match:
        raise ValueError(
            f"An address on the hub is hf://owner/name. Received: {address!r}."
        )
    return match[1]


def _client() -> Any:
    try:
        import huggingface_hub
    except ImportError as error:
        raise ImportError(
            "Addresses hf:// need a package: pip install 'vaegan-tf[hub]'."
        ) from error
    return huggingface_hub


def _failed(what: str, address: str, error: Exception) -> OSError:
    return OSError(f"{address} could not be {what}: {first_line(error)}")
