"""The sizes of the speech tokenizer: a Whisper encoder with a codebook.

Imports transformers (about a second and 30 MiB): import this where a network is about to load.
"""

# without annotations from __future__: `strict` checks values against the types themselves
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from huggingface_hub.dataclasses import strict
from huggingface_hub.errors import StrictDataclassError
from transformers import WhisperConfig

from glmtts_core.errors import CheckpointError


@strict
class SpeechTokenizerConfig(WhisperConfig):  # type: ignore[misc] # mypy does not follow transformers
    """Whisper's sizes and those of the codebook, named as in ``speech_tokenizer/config.json``."""

    pooling_kernel_size: int
    pooling_position: int
    quantize_position: int
    quantize_vocab_size: int
    quantize_causal_block_size: int


#: The sizes of the official model.
OFFICIAL_SPEECH_TOKENIZER: Final = SpeechTokenizerConfig(
    d_model=1280,
    encoder_attention_heads=20,
    encoder_ffn_dim=5120,
    num_mel_bins=128,
    max_source_positions=1500,
    pooling_kernel_size=2,
    pooling_position=16,
    quantize_position=16,
    quantize_vocab_size=32_768,
    quantize_causal_block_size=200,
)
_NAMES: Final = (
    "d_model",
    "encoder_attention_heads",
    "encoder_ffn_dim",
    "num_mel_bins",
    "max_source_positions",
    "pooling_kernel_size",
    "pooling_position",
    "quantize_position",
    "quantize_vocab_size",
    "quantize_causal_block_size",
)


def speech_tokenizer_config(values: Mapping[str, Any], file: Path) -> SpeechTokenizerConfig:
    """Read the sizes; the file holds more, which is ignored.

    Args:
        values: content of the file.
        file: for messages.

    Raises:
        CheckpointError: a size is missing or no number.
    """
    try:
        return SpeechTokenizerConfig(**{name: values[name] for name in _NAMES})
    except KeyError as error:
        reason = f"{error.args[0]}: missing"
    except StrictDataclassError as error:
        reason = " ".join(str(error).split())
    raise CheckpointError("checkpoint.file_damaged", file=file, reason=reason)
