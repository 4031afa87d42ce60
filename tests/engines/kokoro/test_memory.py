"""What the voice's process and the pages' process import: no more than they work with."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from glmtts_core.engines.caches import SessionCaches
from glmtts_core.engines.host.process import ProcessHost
from glmtts_core.memory.ledger import Ledger
from glmtts_core.speech import SynthesisRequest
from tests.engines.kokoro.telling_voice import ORDER
from tests.scripted_engine import LoadOnly

#: Libraries of another engine, of the diagnostics or of the pages: tens to hundreds of MiB each.
NOT_FOR_SPEAKING = (
    "torch", "torchaudio", "transformers", "scipy", "pandas", "streamlit", "plotly", "pypinyin",
)  # fmt: skip
NOT_FOR_PAGES = (
    "torch", "torchaudio", "transformers", "onnxruntime", "scipy", "pypinyin", "jieba", "misaki",
)  # fmt: skip


def imported(program: str, *arguments: str) -> set[str]:
    """Return what a fresh process has imported after ``program``."""
    told = "\nimport json; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", "import sys\n" + dedent(program) + told, *arguments],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.voice
@pytest.mark.process
def test_speaking_takes_no_library_of_another_part(model_cache):
    program = """
        from pathlib import Path
        from glmtts_core.engines.caches import SessionCaches
        from glmtts_core.engines.kokoro.engine import KokoroEngine
        from glmtts_core.memory.ledger import Ledger
        from glmtts_core.settings import Settings
        from glmtts_core.speech import SynthesisRequest
        from tests.scripted_engine import LoadOnly

        ledger = Ledger()
        settings = Settings(_env_file=None, threads=1, cache_dir=Path(sys.argv[1]))
        voice = KokoroEngine(settings, ledger)
        voice.load(LoadOnly())
        asked = SynthesisRequest(
            text="今天花了3.5元。It was quiet.", voice="zf_xiaobei", sample_rate_hz=32_000
        )
        spoken = voice.synthesize(asked, SessionCaches("a" * 32, ledger), LoadOnly())
        assert len(spoken.samples)
    """
    found = imported(program, str(model_cache))
    assert "onnxruntime" in found
    assert found.isdisjoint(NOT_FOR_SPEAKING)


@pytest.mark.voice
@pytest.mark.process
def test_the_voices_own_process_takes_no_library_of_another_part(settings):
    ledger = Ledger()
    asked = SynthesisRequest(
        text="今天花了3.5元。It was quiet.", voice="zf_xiaobei", sample_rate_hz=32_000
    )
    host = ProcessHost(settings, ledger, [ORDER], lambda _: None)
    try:
        spoken = host.preferred.synthesize(asked, SessionCaches("a" * 32, ledger), LoadOnly())
    finally:
        host.close(idle=True)
    found = spoken.voices
    assert "onnxruntime" in found
    assert set(found).isdisjoint(NOT_FOR_SPEAKING)


@pytest.mark.process
def test_the_pages_take_no_library_of_the_voices():
    program = """
        import glmtts_core.api.routes
        import glmtts_core.ui.batch.sections
        import glmtts_core.ui.diagnostics.tabs
        import glmtts_core.ui.overview.sections
        import glmtts_core.ui.page
        import glmtts_core.ui.synthesis.form
        import glmtts_core.ui.synthesis.history_view
        import glmtts_core.ui.synthesis.result_view
        from glmtts_core.diagnostics.growth import growth
        from glmtts_core.text.reading import read_text

        growth([300 * 2**20] * 20)
        assert read_text("今天花了3.5元。It was quiet. 𠮷").spoken
    """
    found = imported(program)
    assert "streamlit" in found
    assert found.isdisjoint(NOT_FOR_PAGES)


@pytest.mark.process
def test_showing_what_will_be_heard_takes_no_network_runtime(model_cache):
    program = """
        from pathlib import Path
        import glmtts_core.ui.shared.reading_view
        from glmtts_core.engines.reader import Reader

        heard = Reader(Path(sys.argv[1])).read("今天花了3.5元。It was quiet.")
        assert all(piece.phonemes for piece in heard.pieces)
    """
    found = imported(program, str(model_cache))
    # its code without its dictionary
    assert found.isdisjoint(set(NOT_FOR_PAGES) - {"jieba"})
