"""Whether a request can be fulfilled at all: asked before it is queued, and before a model loads.

Knows only what an engine says of itself, so that every engine refuses in the same words.
"""

from __future__ import annotations

from glmtts_core.catalogue import LANGUAGES
from glmtts_core.engines.capabilities import Capabilities, Voice
from glmtts_core.errors import RequestError, TextError
from glmtts_core.speech import SynthesisRequest


def check_request(
    request: SynthesisRequest, capabilities: Capabilities, max_text_chars: int
) -> None:
    """Raise for anything in ``request`` that an engine with ``capabilities`` cannot do.

    Raises:
        TextError: the text is empty, too long, or holds nothing that can be spoken.
        RequestError: voice, second voice, speed, sample rate, reference, sampling method or
            history is not among what the engine offers.
    """
    _check_text(request.text, max_text_chars, capabilities)
    _check_voice(request, capabilities)
    check_choices(request, capabilities)


def check_choices(request: SynthesisRequest, capabilities: Capabilities) -> None:
    """Raise for what `check_request` refuses, but for the text and a voice that is still to come.

    A seed is taken where nothing is drawn at random too: every seed gives the same sound.

    Raises:
        RequestError: as `check_request`.
    """
    if request.voice is not None or request.reference is not None:
        _check_voice(request, capabilities)
    if request.second_voice is not None:
        _check_second_voice(request.second_voice, request, capabilities)
    _check_speed(request, capabilities)
    rates = [rate.hz for rate in capabilities.sample_rates]
    if request.sample_rate_hz not in rates:
        known = ", ".join(str(hz) for hz in rates)
        raise RequestError("request.sample_rate", hz=request.sample_rate_hz, known=known)
    if request.history and not capabilities.history:
        raise RequestError("request.no_history", engine=capabilities.engine)
    methods = capabilities.sampling_methods
    if request.sampling is not None and request.sampling not in methods:
        raise RequestError(
            "request.sampling",
            engine=capabilities.engine,
            method=request.sampling,
            known=", ".join(methods) or "–",
        )


def check_unicode(text: str) -> None:
    """Refuse half a surrogate pair, or bytes of a wrong encoding: no file could keep it.

    Raises:
        TextError: there is such a thing in ``text``.
    """
    if not text.isprintable() and any("\ud800" <= char <= "\udfff" for char in text):
        raise TextError("text.not_unicode")


def _check_text(text: str, max_chars: int, capabilities: Capabilities) -> None:
    if not text.strip():
        raise TextError("text.empty")
    check_unicode(text)
    if len(text) > max_chars:
        raise TextError("text.too_long", chars=len(text), limit=max_chars)
    if not capabilities.reading(text).spoken:
        raise TextError("text.unspeakable")


def _check_voice(request: SynthesisRequest, capabilities: Capabilities) -> None:
    if request.reference is not None:
        if not capabilities.voice_cloning:
            raise RequestError("request.no_reference", engine=capabilities.engine)
        return
    if request.voice is None:
        if capabilities.voice_cloning:
            raise RequestError("request.reference_missing", engine=capabilities.engine)
        return  # the engine takes the preferred one
    _known_voice(request.voice, capabilities)


def _check_second_voice(
    second_voice: str, request: SynthesisRequest, capabilities: Capabilities
) -> None:
    cloned = capabilities.voice_cloning or request.reference is not None
    if cloned or len(capabilities.native_languages) < len(LANGUAGES):
        raise RequestError("request.no_second_voice", engine=capabilities.engine)
    second = _known_voice(second_voice, capabilities)
    if second.language is None:
        raise RequestError("request.second_voice_language", voice=second_voice)
    first = capabilities.voice(request.voice)
    if first is not None and first.language == second.language:
        raise RequestError("request.second_voice_same", voice=first.id, second=second_voice)


def _known_voice(voice_id: str, capabilities: Capabilities) -> Voice:
    voice = capabilities.voice(voice_id)
    if voice is None:
        known = ", ".join(each.id for each in capabilities.voices)
        raise RequestError("request.voice", voice=voice_id, known=known)
    return voice


def _check_speed(request: SynthesisRequest, capabilities: Capabilities) -> None:
    slowest, fastest = capabilities.speed_range or (1.0, 1.0)
    if not slowest <= request.speed <= fastest:
        raise RequestError("request.speed", speed=request.speed, slowest=slowest, fastest=fastest)
