"""The sizes and rates of the flow network, from the plain data of ``flow/config.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from glmtts_core.errors import CheckpointError

#: Number of speech tokens; the token table has more rows, which are unused.
SPEECH_TOKEN_IDS: Final = 32_768
#: Values of a speaker vector.
SPEAKER_VALUES: Final = 192

#: Switches that change what the network computes, with their official values.
_FIXED: Final[Mapping[str, Any]] = {
    "spkr_emb_adaLN": True,
    "speech_token_cfg": False,
    "remove_spkr_concat_condition": True,
    "big_model": False,
    "use_wavlm_emb": False,
    "use_mdt": False,
    "t_scheduler": "cosine",
}
#: From the names of the file, or of the network in it, to ours. The official file does not contain
#: the sizes of the transformer, which means the small model.
_NAMES: Final[Mapping[str, str]] = {
    "mel_dim": "mel_bins",
    "mel_framerate": "mel_frames_hz",
    "input_frame_rate": "tokens_hz",
    "speech_token_dim": "token_channels",
    "text_emb_dim": "token_channels",
    "vocab_size": "vocabulary",
    "text_vocab_size": "vocabulary",
    "trans_dim": "width",
    "depth": "blocks",
    "heads": "heads",
    "dim_head": "head_width",
    "ff_mult": "feed_forward_factor",
    "conv_layers": "token_blocks",
}


@dataclass(frozen=True, slots=True)
class FlowConfig:
    """Sizes and rates; the defaults are those of the official checkpoint.

    Attributes:
        mel_bins: bins of the log-mel.
        mel_frames_hz: frames of the mel a second.
        tokens_hz: speech tokens a second.
        token_channels: width of the token embedding.
        vocabulary: ids in the token table of the checkpoint.
        token_blocks: convolution blocks of the token embedding.
        width: width of the transformer.
        blocks: transformer blocks.
        heads: attention heads.
        head_width: channels of a head.
        feed_forward_factor: hidden width of the feed-forward part, in widths.
    """

    mel_bins: int = 80
    mel_frames_hz: float = 50
    tokens_hz: float = 25
    token_channels: int = 512
    vocabulary: int = 100_000
    token_blocks: int = 4
    width: int = 768
    blocks: int = 18
    heads: int = 12
    head_width: int = 64
    feed_forward_factor: int = 2

    @classmethod
    def from_mapping(
        cls, values: Mapping[str, Any], file: object = "flow/config.yaml"
    ) -> FlowConfig:
        """Read the mapping of the file; missing values are those of the official checkpoint.

        Args:
            values: plain data, named as in the file; names that only training uses are ignored.
            file: for messages.

        Raises:
            CheckpointError: the file describes another kind of network.
        """
        for name, official in _FIXED.items():
            if name in values and values[name] != official:
                raise CheckpointError(
                    "flow.other_network", file=file, name=name, value=values[name], wanted=official
                )
        known = {name: values[name] for name in _NAMES if name in values}
        for name, value in known.items():
            kind = int | float if _NAMES[name].endswith("_hz") else int
            if isinstance(value, bool) or not isinstance(value, kind) or value <= 0:
                raise CheckpointError("flow.bad_size", file=file, name=name, value=value)
        return cls(**{_NAMES[name]: value for name, value in known.items()})

    @property
    def token_rows(self) -> int:
        """Rows of the token table in memory."""
        return min(self.vocabulary + 1, SPEECH_TOKEN_IDS)

    @property
    def condition(self) -> int:
        """Width of the input of the modulations: time and speaker."""
        return self.width + SPEAKER_VALUES

    def frames(self, tokens: int) -> int:
        """Return the mel frames of so many speech tokens.

        Truncated like in the reference: one frame less than two a token for some counts (29, 57,
        58, ...).
        """
        return int(tokens / self.tokens_hz * self.mel_frames_hz)
