"""One trial of the laboratory in a process of its own: ``python -m glmtts_core.diagnostics.child``.

Takes a `TrialOrder` as the first line of standard input and writes one `ChildMessage` a line to
standard output. It ends when standard input does, so it never outlives the program that started it.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import closing
from typing import Final

from glmtts_core.diagnostics.trial import (
    ChildMessage,
    Ended,
    Failed,
    TrialOrder,
)
from glmtts_core.diagnostics.trial_work import Send, TrialWork
from glmtts_core.engines.available import EngineFactory
from glmtts_core.errors import GLMTTSError
from glmtts_core.settings import Settings
from glmtts_core.studio.studio import Studio

#: Exit codes.
DONE: Final = 0
FAILED: Final = 1


def main(*engine_factories: EngineFactory) -> int:
    """Run the trial that standard input orders; return the exit code.

    Args:
        engine_factories: make the engines; none means those of the program.
    """
    send = _take_standard_output()
    order = TrialOrder.model_validate_json(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, name="parent-watch", daemon=True).start()
    settings = Settings(_env_file=None, **order.settings)
    try:
        with closing(Studio(settings, *engine_factories, rescue=False)) as studio:
            TrialWork(studio, order, send).run()
    except GLMTTSError as error:
        send(Failed(reason=str(error)))
        return FAILED
    except MemoryError:
        send(Failed(reason="out of memory"))
        return FAILED
    send(Ended())
    return DONE


def _take_standard_output() -> Send:
    """Keep standard output for messages: what libraries print goes to standard error."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)

    def send(message: ChildMessage) -> None:
        channel.write(message.model_dump_json() + "\n")

    return send


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(FAILED)


if __name__ == "__main__":
    # the studio's threads are gone by now; a native library's own may not be
    os._exit(main())
