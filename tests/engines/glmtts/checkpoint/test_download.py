"""The checkpoint is fetched from the right places into the right folders; failures are told."""

from __future__ import annotations

import errno
import os
import shutil
from fnmatch import fnmatch
from pathlib import Path

import pytest

from glmtts_core.engines.glmtts.checkpoint.download import (
    Wanted,
    download,
    fetch_from_huggingface,
    fetcher,
)
from glmtts_core.engines.glmtts.checkpoint.folder import Checkpoint
from glmtts_core.errors import DownloadError
from tests.engines.glmtts.stand_in_hub import StandInHub


class LocalSite:
    """Serves repositories from folders, as the sites' libraries do: what is there stays."""

    def __init__(self, repositories: dict[str, Path]) -> None:
        self.repositories = repositories
        self.fetched: list[str] = []

    def __call__(self, wanted: Wanted) -> None:
        source = self.repositories[wanted.repository]
        for file in sorted(source.rglob("*")):
            name = file.relative_to(source).as_posix()
            target = wanted.folder / name
            if any(fnmatch(name, pattern) for pattern in wanted.patterns) and not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, target)
                self.fetched.append(name)


@pytest.fixture
def site(tiny_checkpoint: Checkpoint, tmp_path: Path) -> LocalSite:
    """The official repositories: networks in one, the speaker model in another."""
    networks, speaker = tmp_path / "networks", tmp_path / "speaker"
    shutil.copytree(tiny_checkpoint.root, networks, ignore=shutil.ignore_patterns("frontend"))
    (networks / "README.md").write_text("not wanted")
    shutil.copytree(tiny_checkpoint.speaker_file.parent, speaker)
    return LocalSite(
        {
            "zai-org/GLM-TTS": networks,
            "FunAudioLLM/CosyVoice-300M": speaker,
            "ZhipuAI/GLM-TTS": networks,
            "iic/CosyVoice-300M": speaker,
        }
    )


@pytest.mark.parametrize("source", ["huggingface", "modelscope"])
def test_what_is_fetched_is_a_whole_checkpoint(site, tmp_path, source):
    download(tmp_path / "ckpt", source, fetch=site)
    assert Checkpoint(tmp_path / "ckpt").is_there()
    assert not (tmp_path / "ckpt" / "README.md").exists()


def test_a_second_call_fetches_only_what_is_missing(site, tmp_path):
    download(tmp_path / "ckpt", fetch=site)
    (tmp_path / "ckpt" / "flow" / "flow.pt").unlink()
    site.fetched.clear()
    download(tmp_path / "ckpt", fetch=site)
    assert site.fetched == ["flow/flow.pt"]


def test_progress_names_the_repositories_in_turn(site, tmp_path):
    told: list[tuple[str, int, int]] = []
    download(
        tmp_path / "ckpt",
        on_progress=lambda wanted, number, count: told.append((wanted.repository, number, count)),
        fetch=site,
    )
    assert told == [("zai-org/GLM-TTS", 1, 2), ("FunAudioLLM/CosyVoice-300M", 2, 2)]


def test_the_real_library_fetches_what_is_wanted_and_no_code(tmp_path):
    site = repository(tmp_path / "site")
    with StandInHub(site).running() as address:
        fetch_from_huggingface(Wanted("owner/name", ("llm/*",), tmp_path / "ckpt"), address)
    fetched = sorted(file.name for file in (tmp_path / "ckpt" / "llm").iterdir())
    assert fetched == ["config.json", "model.safetensors"]
    assert not (tmp_path / "ckpt" / "other").exists()


def test_the_real_library_goes_on_where_a_transfer_broke_off(tmp_path):
    site = repository(tmp_path / "site")
    name = "llm/model.safetensors"
    # the library writes 10 MiB at a time
    (site / name).write_bytes(bytes(range(256)) * (32 * 2**20 // 256))
    hub = StandInHub(site)
    hub.cut_first = {name}
    wanted = Wanted("owner/name", ("llm/*",), tmp_path / "ckpt")
    with hub.running() as address:
        fetch_from_huggingface(wanted, address)
    transfers = [first for each, first in hub.transfers if each == name]
    assert len(transfers) == 2
    assert transfers[1] > 0
    assert (tmp_path / "ckpt" / name).read_bytes() == (site / name).read_bytes()


def test_the_real_library_leaves_alone_what_is_there(tmp_path):
    hub = StandInHub(repository(tmp_path / "site"))
    wanted = Wanted("owner/name", ("llm/*",), tmp_path / "ckpt")
    with hub.running() as address:
        fetch_from_huggingface(wanted, address)
        hub.transfers.clear()
        (tmp_path / "ckpt" / "llm" / "config.json").unlink()
        fetch_from_huggingface(wanted, address)
    assert hub.transfers == [("llm/config.json", 0)]


def repository(folder: Path) -> Path:
    """Write a few files, one of some length and one of code, and return the folder."""
    for name, content in {
        "llm/config.json": b"{}",
        "llm/model.safetensors": b"weights",
        "llm/code.py": b"print()",
        "other/file": b"x",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def test_a_refused_connection_is_one_sentence(tmp_path):
    def refused(wanted: Wanted) -> None:
        # nothing listens on the port "discard"
        fetch_from_huggingface(wanted, endpoint="http://127.0.0.1:9")

    with pytest.raises(DownloadError) as told:
        download(tmp_path / "ckpt", fetch=refused)
    sentence = str(told.value)
    assert sentence.startswith("zai-org/GLM-TTS could not be fetched from huggingface (")
    assert "--source modelscope" in sentence
    assert "\n" not in sentence


def test_a_full_disk_is_told_with_its_folder(tmp_path):
    def full(wanted: Wanted) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(DownloadError, match=r"The disk of .*ckpt is full"):
        download(tmp_path / "ckpt", fetch=full)


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DownloadError, match="Not a directory"):
        download(tmp_path / "file" / "ckpt", fetch=lambda wanted: None)


def test_without_modelscopes_package_one_sentence_says_how_to_get_it(monkeypatch):
    # a name that stands for nothing is what Python itself keeps for a package that is not there
    monkeypatch.setattr(
        "glmtts_core.engines.glmtts.checkpoint.download.find_spec", lambda name: None
    )
    with pytest.raises(DownloadError, match="pip install modelscope"):
        fetcher("modelscope")
