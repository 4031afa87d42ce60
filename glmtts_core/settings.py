"""Settings from ``GLMTTS_*`` environment variables and from a ``.env`` file.

Read once, validated here, trusted everywhere else.
"""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path
from typing import Annotated, Final, Literal, get_args

from dotenv import dotenv_values
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from glmtts_core.errors import SettingsError
from glmtts_core.host_names import HostName, parse_host_list
from glmtts_core.message import Message
from glmtts_core.places import PROGRAM_DIR
from glmtts_core.quoting import quoted

PREFIX: Final = "GLMTTS_"
ENV_FILE: Final = PROGRAM_DIR / ".env"
#: Names that the start script reads and that mean nothing to the program itself.
SCRIPT_ONLY_NAMES: Final = frozenset({"GLMTTS_VENV"})


def _default_cache_dir() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "glm-tts-studio"


def _anchored(folder: Path) -> Path:
    try:
        return PROGRAM_DIR / folder.expanduser()
    except RuntimeError as error:  # ~name of nobody here
        raise PydanticCustomError("folder", "no home folder") from error


def _sendable(token: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[!-~]+", token.get_secret_value()):
        raise PydanticCustomError("token", "cannot be sent")
    return token


def _hosts(given: object) -> object:
    if not isinstance(given, str):
        return given
    try:
        return parse_host_list(given)
    except ValueError as error:
        details = {"host": quoted(str(error))}
        raise PydanticCustomError("host", "{host}", details) from error


#: What is said of values that are refused here, by the kind of the error.
_REASONS: Final = {
    "folder": "settings.reason.folder",
    "token": "settings.reason.token",
    "host": "settings.reason.host",
}
Folder = Annotated[Path, AfterValidator(_anchored)]


class Settings(BaseSettings):
    """Everything that can be set from outside; docs/en/settings.md shows the same names."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=ENV_FILE,
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
    )

    device: Annotated[str, Field(pattern=r"^(auto|cpu|cuda|cuda:\d{1,2})$")] = "auto"
    """Where the engine computes: auto, cpu, cuda or cuda:N."""
    output_dir: Folder = Path("outputs")
    """Folder for what was spoken (one folder a session)."""
    cache_dir: Folder = Field(default_factory=_default_cache_dir)
    """Folder for the model file that is assembled once."""
    ckpt: Folder = Path("ckpt")
    """Folder of the GLM-TTS checkpoint in its official layout."""
    rehearsal: bool = False
    """Whether to run GLM-TTS with random weights, without any file of it."""
    language_model_int8: bool = False
    """Whether GLM-TTS's language model is 8-bit integers on the CPU: lean, fast, less exact."""
    flow_precision: Literal["auto", "float32", "mixed"] = "auto"
    """What GLM-TTS's flow computes in; auto takes mixed where the device has fast bfloat16."""
    text_frontend: Literal["studio", "reference"] = "studio"
    """Who reads numbers and signs for GLM-TTS: this program, or the reference's front end alone."""
    language: Literal["auto", "zh", "en"] = "auto"
    """Language of the pages; auto follows the browser."""
    threads: Annotated[int, Field(ge=0, le=256)] = 0
    """CPU threads of an inference; 0 takes all cores."""
    monitor_hz: Annotated[float, Field(ge=0.5, le=20.0)] = 5.0
    """Memory samples a second."""
    max_text_chars: Annotated[int, Field(ge=1, le=100_000)] = 5000
    """Longest text of a single synthesis, in characters."""
    max_reference_s: Annotated[float, Field(gt=0.0, le=3600.0)] = 60.0
    """Longest reference recording that is accepted, in seconds."""
    history_max_results: Annotated[int, Field(ge=1, le=10_000)] = 50
    """Results kept on disk for each session; the oldest goes first."""
    history_max_mib: Annotated[int, Field(ge=1, le=1_048_576)] = 4096
    """Size of all sessions' results together, in MiB; the oldest goes first."""
    history_max_age_days: Annotated[float, Field(gt=0.0, le=3650.0)] = 7.0
    """Sessions untouched for longer are cleared, what happened before then is forgotten, and so are
    experiments but for the newest."""
    allowed_hosts: Annotated[tuple[HostName, ...], NoDecode, BeforeValidator(_hosts)] = ()
    """Names besides its own that the server answers to, with commas between."""
    api_token: Annotated[SecretStr, AfterValidator(_sendable)] | None = None
    """Token that HTTP requests must bring; without one only this machine may ask."""


def load_settings(env_file: Path | None = ENV_FILE) -> Settings:
    """Read and check the settings.

    Raises:
        SettingsError: a ``GLMTTS_*`` name that does not exist or has no effect where it stands, a
            value that cannot be used, or an ``.env`` that cannot be read; the sentence names it
            and says what is allowed.
    """
    try:
        _refuse_unknown_names(env_file)
    except OSError as error:
        reason = error.strerror or str(error)
        raise SettingsError("settings.unreadable", file=env_file, reason=reason) from error
    except UnicodeDecodeError as error:
        not_utf8 = Message("settings.reason.not_utf8")
        raise SettingsError("settings.unreadable", file=env_file, reason=not_utf8) from error
    try:
        return Settings(_env_file=env_file)
    except ValidationError as error:
        first = error.errors()[0]
        field = str(first["loc"][0])
        name = PREFIX + field.upper()
        given = "***" if name.endswith("_TOKEN") else f"“{quoted(first.get('input'))}”"
        allowed = _reason(field, first)
        raise SettingsError("settings.invalid", name=name, given=given, reason=allowed) from error


def _reason(field: str, error: ErrorDetails) -> Message:
    """Return what a setting takes instead, as its type and bounds say."""
    if error["type"] in _REASONS:
        return Message(_REASONS[error["type"]], error.get("ctx", {}))
    info = Settings.model_fields[field]
    bounds = {
        name: f"{getattr(each, name):g}"
        for each in info.metadata
        for name in ("ge", "gt", "le")
        if hasattr(each, name)
    }
    if bounds:
        of_float = "settings.reason.number_above" if "gt" in bounds else "settings.reason.number"
        of_int = "settings.reason.whole_number"
        return Message(of_int if info.annotation is int else of_float, bounds)
    if info.annotation is bool:
        return Message("settings.reason.switch")
    if choices := get_args(info.annotation):
        return Message("settings.reason.choice", {"known": ", ".join(map(str, choices))})
    return Message("settings.reason.device")


def setting_names() -> list[str]:
    """Return every name that may be set, in the order of the class."""
    return [PREFIX + field.upper() for field in Settings.model_fields]


def _refuse_unknown_names(env_file: Path | None) -> None:
    # pydantic-settings ignores names that it does not know: a typing error would go unseen
    given = [name for name in os.environ if name.upper().startswith(PREFIX)]
    if env_file is not None and env_file.is_file():
        in_file = [name for name in dotenv_values(env_file) if name.upper().startswith(PREFIX)]
        for name in in_file:
            if name.upper() in SCRIPT_ONLY_NAMES:
                raise SettingsError("settings.script_only", name=name, file=env_file)
        given += in_file
    known = sorted({*setting_names(), *SCRIPT_ONLY_NAMES})
    for name in given:
        if name.upper() not in known:
            # without the prefix, which makes every name look like every other
            words = [each.removeprefix(PREFIX) for each in known]
            close = difflib.get_close_matches(name.upper().removeprefix(PREFIX), words, n=1)
            if close:
                raise SettingsError("settings.unknown_close", name=name, close=PREFIX + close[0])
            raise SettingsError("settings.unknown", name=name, known=", ".join(known))
