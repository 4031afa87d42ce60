"""A connection between two processes: JSON messages, and arrays of float32 beside them.

Nothing is unpickled: what arrives is checked against the messages that exist.
"""

from __future__ import annotations

import select
import threading
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Generic, TypeVar

import numpy as np
from pydantic import BaseModel, TypeAdapter

from glmtts_core.audio import Samples

M = TypeVar("M", bound=BaseModel)


class Link(Generic[M]):
    """Sends messages, from any thread, and receives them, on one thread.

    Args:
        read_handle: where messages come from; closed with the link.
        write_handle: where they go; closed with the link.
        incoming: the messages that may arrive.
    """

    def __init__(self, read_handle: int, write_handle: int, incoming: TypeAdapter[M]) -> None:
        self._reading = Connection(read_handle, writable=False)
        self._writing = Connection(write_handle, readable=False)
        self._incoming = incoming
        self._lock = threading.Lock()

    def send(self, message: BaseModel, arrays: Sequence[Samples] = ()) -> None:
        """Send a message, and the arrays whose shapes it names.

        Raises:
            OSError: the other side has gone.
        """
        head = message.model_dump_json().encode()
        with self._lock:
            self._writing.send_bytes(head)
            for array in arrays:
                plain = np.ascontiguousarray(array, np.float32).reshape(-1)
                self._writing.send_bytes(plain.view(np.uint8).data)

    def send_within(self, message: BaseModel, wait_s: float) -> bool:
        """Send a short message if that is possible soon; return whether it was sent.

        Raises:
            OSError: the other side has gone.
        """
        if not self._lock.acquire(timeout=wait_s):
            return False
        try:
            # who does not read leaves no room, and a send would wait for ever
            room = select.poll()  # unlike select(), whatever the handle's number
            room.register(self._writing, select.POLLOUT)
            if not room.poll(wait_s * 1000):
                return False
            self._writing.send_bytes(message.model_dump_json().encode())
        finally:
            self._lock.release()
        return True

    def receive(self) -> tuple[M, list[Samples]]:
        """Wait for the next message and its arrays.

        Raises:
            EOFError, OSError: the other side has gone.
            ValidationError: it is no message that exists.
        """
        message = self._incoming.validate_json(self._reading.recv_bytes())
        arrays = []
        for shape in getattr(message, "shapes", ()):
            # a copy that may be written to: libraries ask for that, though they only read
            data = bytearray(self._reading.recv_bytes())
            arrays.append(np.frombuffer(data, np.float32).reshape(shape))
        return message, arrays

    def close(self) -> None:
        """Close both directions."""
        self._reading.close()
        # not amid a send: its handle's number may belong to a file by now
        with self._lock:
            self._writing.close()
