"""Downloads the official checkpoint from Hugging Face or ModelScope; existing files are kept.

The libraries of the two sites check the files, resume interrupted downloads, and draw progress bars
in a terminal.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal

from glmtts_core.errors import DownloadError

Site = Literal["huggingface", "modelscope"]

_NETWORKS: Final = (
    *("llm/*", "flow/*", "hift/*", "vocos2d/*"),
    *("speech_tokenizer/*", "vq32k-phoneme-tokenizer/*"),
)
#: The tokenizer comes with Python code, which we do not run.
_UNWANTED: Final = ("*.py",)
#: The official checkpoint lacks the speaker model; the same file is published with CosyVoice.
_REPOSITORIES: Final = {
    "huggingface": ("zai-org/GLM-TTS", "FunAudioLLM/CosyVoice-300M"),
    "modelscope": ("ZhipuAI/GLM-TTS", "iic/CosyVoice-300M"),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Files of one repository.

    Attributes:
        repository: "owner/name".
        patterns: which files.
        folder: where they go, with the folders that they have in the repository.
    """

    repository: str
    patterns: tuple[str, ...]
    folder: Path


#: Downloads files; raises whatever its library raises.
Fetch = Callable[[Wanted], None]


def download(
    root: Path,
    site: Site = "huggingface",
    on_progress: Callable[[Wanted, int, int], None] = lambda wanted, number, count: None,  # noqa: ARG005
    fetch: Fetch | None = None,
) -> None:
    """Download the checkpoint into ``root``; a second call resumes an interrupted download.

    Args:
        root: the checkpoint's folder.
        site: where it comes from.
        on_progress: called before each repository with its number (from 1) and how many there are.
        fetch: downloads from one repository; by default the site's own library.

    Raises:
        DownloadError: the library is not installed, the site cannot be reached or refuses, or the
            disk is full.
    """
    fetch = fetch or fetcher(site)
    networks, speaker = _REPOSITORIES[site]
    wanted = (
        Wanted(networks, _NETWORKS, root),
        Wanted(speaker, ("campplus.onnx",), root / "frontend"),
    )
    for number, each in enumerate(wanted, start=1):
        on_progress(each, number, len(wanted))
        try:
            each.folder.mkdir(parents=True, exist_ok=True)
            fetch(each)
        except DownloadError:
            raise
        except Exception as error:
            raise _download_error(error, each, site) from error


def fetcher(site: Site) -> Fetch:
    """Return the function that downloads from ``site``.

    Raises:
        DownloadError: its library is not installed.
    """
    if site == "huggingface":
        return fetch_from_huggingface
    if find_spec("modelscope") is None:
        raise DownloadError("download.no_modelscope")
    return _fetch_from_modelscope


def fetch_from_huggingface(wanted: Wanted, endpoint: str | None = None) -> None:
    """Download from Hugging Face, or from a mirror with its interface.

    Args:
        wanted: the files.
        endpoint: address of the mirror; by default ``HF_ENDPOINT`` or Hugging Face itself.
    """
    from huggingface_hub import snapshot_download  # heavy, and seldom needed

    snapshot_download(
        wanted.repository,
        local_dir=wanted.folder,
        allow_patterns=list(wanted.patterns),
        ignore_patterns=list(_UNWANTED),
        endpoint=endpoint,
    )


def _fetch_from_modelscope(wanted: Wanted) -> None:
    from modelscope import snapshot_download

    snapshot_download(
        wanted.repository,
        local_dir=str(wanted.folder),
        allow_patterns=list(wanted.patterns),
        ignore_patterns=list(_UNWANTED),
    )


def _download_error(error: Exception, wanted: Wanted, site: Site) -> DownloadError:
    """Return our error for one of a site's library, which has its own kinds of errors."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DownloadError("download.disk_full", folder=wanted.folder)
    reason = str(error).strip().partition("\n")[0] or type(error).__name__
    other: Site = "modelscope" if site == "huggingface" else "huggingface"
    return DownloadError(
        "download.failed", repository=wanted.repository, reason=reason, site=site, other=other
    )
