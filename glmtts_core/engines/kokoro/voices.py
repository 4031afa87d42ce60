"""The built-in voices in display order: native Mandarin, native English, Japanese.

Knows nothing about files and synthesis.
"""

from __future__ import annotations

from typing import Final

from glmtts_core.catalogue import Language
from glmtts_core.engines.capabilities import Voice

# Measured by `python -m benchmarks.intelligibility --voices native` on 40 plain sentences of each
# voice's own language: character error rate of a recogniser, and overall rating by DNSMOS P.835.
# What is understood best comes first; where rates differ by no more than the standard error, the
# rating decides.

#: Rates 5.1, 4.5, 4.9, 5.3, 6.1, 5.7, 10.4, 40.4 %, each ± 1 to 3; ratings 3.33, 3.25, 3.17, 2.74,
#: 2.91, 2.88, 3.27, 3.12. The better Japanese voice: 11.3 ± 1.7 %.
_MANDARIN: Final = (
    "zm_yunxi",
    "zm_yunjian",
    "zf_xiaobei",
    "zf_xiaoyi",
    "zf_xiaoxiao",
    "zm_yunxia",
    "zm_yunyang",
    "zf_xiaoni",
)
#: Rates 0.0 to 0.1 ± 0.1 % up to bf_isabella, 0.3 ± 0.2 % after; ratings 3.32, 3.31, 3.27, 3.21,
#: 3.17, 3.17, 3.13; 3.31, 3.26, 3.21, 3.18; af_nicole whispers: 0.1 %, 1.96.
_ENGLISH: Final = (
    "bm_fable",
    "am_michael",
    "af_sarah",
    "bm_george",
    "bf_emma",
    "af_bella",
    "bf_isabella",
    "am_puck",
    "af_heart",
    "af_kore",
    "am_fenrir",
    "af_nicole",
)
_JAPANESE: Final = ("jf_gongitsune", "jm_kumo", "jf_nezumi", "jf_tebukuro", "jf_alpha")
_NAMES: Final[tuple[tuple[Language | None, tuple[str, ...]], ...]] = (
    ("zh", _MANDARIN),
    ("en", _ENGLISH),
    (None, _JAPANESE),
)

#: Every voice; those of a language are together, the preferred one first.
VOICES: Final = tuple(
    Voice(name, f"kokoro.voice.{name}", language) for language, names in _NAMES for name in names
)
