"""Engines for trials that go wrong; a module of its own, so that their process imports little."""

from __future__ import annotations

import os
import time

from tests.scripted_engine import ScriptedEngine

#: Far above what a thread or a message takes, and above what a limited arm leaves.
HUNGRY_BYTES = 512 * 2**20


class HungryEngine(ScriptedEngine):
    """Needs much memory for a moment from its third synthesis on."""

    def synthesize(self, request, caches, control):
        if len(self.spoken) >= 2:
            bytearray(HUNGRY_BYTES)
        return super().synthesize(request, caches, control)


class DyingEngine(ScriptedEngine):
    """Ends its process at its third synthesis, as a native library does that gives up."""

    def synthesize(self, request, caches, control):
        if len(self.spoken) == 2:
            os.abort()
        return super().synthesize(request, caches, control)


class DeafEngine(ScriptedEngine):
    """Never ends its first synthesis, nor looks whether it was cancelled."""

    def synthesize(self, request, caches, control):
        time.sleep(3600)
        raise AssertionError("nobody waits that long")
