"""The networks of the official checkpoint, each with the configuration that lies beside it."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

import torch
from pydantic import ValidationError

from glmtts_core.engines.capabilities import Voice
from glmtts_core.engines.glmtts.checkpoint.folder import Checkpoint
from glmtts_core.engines.glmtts.decoding import SpeechIds
from glmtts_core.engines.glmtts.network_source import NetworkName, OnBytes
from glmtts_core.engines.glmtts.networks.flow import Flow, load_flow
from glmtts_core.engines.glmtts.networks.flow_config import FlowConfig
from glmtts_core.engines.glmtts.networks.hift import Hift, load_hift
from glmtts_core.engines.glmtts.networks.language_model import SpeechBounds
from glmtts_core.engines.glmtts.networks.llama import Llama, LlamaConfig
from glmtts_core.engines.glmtts.networks.llama_weights import load_llama
from glmtts_core.engines.glmtts.networks.speaker import SpeakerModel
from glmtts_core.engines.glmtts.networks.speech_tokenizer import (
    SpeechTokenizer,
    load_speech_tokenizer,
)
from glmtts_core.engines.glmtts.networks.vocos import Vocos2D, load_vocos
from glmtts_core.engines.glmtts.precision import DEFAULT_PRECISIONS, Precisions
from glmtts_core.engines.glmtts.text.tokenizer import TextTokenizer
from glmtts_core.errors import CheckpointError, RequestError
from glmtts_core.speech import ReferenceAudio

if TYPE_CHECKING:
    from glmtts_core.engines.glmtts.networks.speech_tokenizer_config import SpeechTokenizerConfig

#: Bytes of a value in the files, which hold float32.
_STORED_BYTES: Final = 4


class CheckpointNetworks:
    """Loads the networks from a folder in the official layout.

    Args:
        root: the folder.
        threads: CPU threads of the speaker model; 0 takes all cores.
        precisions: the wanted ones.
    """

    engine_name = "GLM-TTS"
    random_weights = False
    voices: tuple[Voice, ...] = ()

    def __init__(
        self, root: Path, threads: int = 0, precisions: Precisions = DEFAULT_PRECISIONS
    ) -> None:
        self._precisions = precisions
        self._checkpoint = Checkpoint(root)
        self._threads = threads

    @property
    def sample_rates_hz(self) -> tuple[int, ...]:
        """The rates whose vocoder is there."""
        return self._checkpoint.sample_rates_hz()

    def recording(self, voice: str | None) -> ReferenceAudio:
        """Refuse: there are no voices without a recording.

        Raises:
            RequestError: always.
        """
        raise RequestError("request.voice", voice=voice, known="–")

    def open(self) -> None:
        """Read text tokenizer and ids.

        Raises:
            CheckpointError: a file is missing or damaged.
        """
        _ = self.speech_ids

    @cached_property
    def _tokenizer(self) -> TextTokenizer:
        return TextTokenizer(self._checkpoint.text_tokenizer_folder)

    @cached_property
    def speech_ids(self) -> SpeechIds:
        """Where speech lies in the vocabulary."""
        return self._tokenizer.speech_ids(self._speech_tokenizer_config.quantize_vocab_size)

    def text_ids(self, text: str) -> list[int]:
        """Return the language model's ids of ``text``."""
        return self._tokenizer.encode(text)

    def bounds(self, text_ids: int) -> SpeechBounds:
        """Return the bounds of the reference."""
        return SpeechBounds.for_text(text_ids)

    def size_bytes(self, name: NetworkName, device: torch.device) -> int:
        """Return about what a network will take, from the sizes of its files; 0 without a file."""
        files = self._files(name)
        stored = sum(file.stat().st_size for file in files if file.is_file())
        if name is NetworkName.LANGUAGE_MODEL:
            return stored // _STORED_BYTES * self._precisions.language_model_dtype(device).itemsize
        return stored

    def language_model(self, device: torch.device, on_bytes: OnBytes) -> Llama:
        """Load the language model."""
        return load_llama(
            self._llama_config,
            self._checkpoint.llm_source(),
            device=device,
            dtype=self._precisions.language_model_dtype(device),
            on_bytes=on_bytes,
        )

    def flow(self, device: torch.device, on_bytes: OnBytes) -> Flow:
        """Load the flow."""
        file = self._checkpoint.flow_config_file
        return load_flow(
            self._checkpoint.flow_source(),
            FlowConfig.from_mapping(self._checkpoint.flow_config(), file),
            device=device,
            precision=self._precisions.flow_precision(device),
            on_bytes=on_bytes,
        )

    def hift(self, device: torch.device, on_bytes: OnBytes) -> Hift:
        """Load the 24 kHz vocoder."""
        return load_hift(self._checkpoint.hift_source(), device=device, on_bytes=on_bytes)

    def vocos(self, device: torch.device) -> Vocos2D:
        """Load the 32 kHz vocoder."""
        return load_vocos(self._checkpoint.vocos_file, device)

    def speech_tokenizer(self, device: torch.device, on_bytes: OnBytes) -> SpeechTokenizer:
        """Load the speech tokenizer."""
        return load_speech_tokenizer(
            self._speech_tokenizer_config,
            self._checkpoint.speech_tokenizer_source(),
            device=device,
            on_bytes=on_bytes,
        )

    def speaker(self) -> SpeakerModel:
        """Load the speaker model."""
        return SpeakerModel(self._checkpoint.speaker_file, self._threads)

    @property
    def _llama_config(self) -> LlamaConfig:
        try:
            return LlamaConfig.model_validate(self._checkpoint.llm_config())
        except ValidationError as error:
            first = error.errors()[0]
            reason = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
            file = self._checkpoint.llm_folder / "config.json"
            raise CheckpointError("checkpoint.file_damaged", file=file, reason=reason) from error

    @property
    def _speech_tokenizer_config(self) -> SpeechTokenizerConfig:
        # heavy
        from glmtts_core.engines.glmtts.networks.speech_tokenizer_config import (
            speech_tokenizer_config,
        )

        file = self._checkpoint.speech_tokenizer_folder / "config.json"
        return speech_tokenizer_config(self._checkpoint.speech_tokenizer_config(), file)

    def _files(self, name: NetworkName) -> list[Path]:
        checkpoint = self._checkpoint
        match name:
            case NetworkName.LANGUAGE_MODEL:
                return sorted(checkpoint.llm_folder.glob("*.safetensors"))
            case NetworkName.SPEECH_TOKENIZER:
                return sorted(checkpoint.speech_tokenizer_folder.glob("*.safetensors"))
            case NetworkName.FLOW:
                return [checkpoint.flow_file]
            case NetworkName.HIFT:
                return [checkpoint.hift_file]
            case NetworkName.VOCOS:
                return [checkpoint.vocos_file]
            case NetworkName.SPEAKER:
                return [checkpoint.speaker_file]
