"""Which GPUs ``CUDA_VISIBLE_DEVICES`` leaves visible, without asking CUDA.

The rules are those of CUDA's programming guide (environment variables), and in the details those
by which PyTorch counts devices without opening CUDA: the list ends at the first entry that names
no GPU, and a GPU that is named twice makes it empty.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

VARIABLE: Final = "CUDA_VISIBLE_DEVICES"
#: CUDA reads an entry like strtol: "1st" counts as 1.
_NUMBER: Final = re.compile(r"[+-]?[0-9]+")
_GPU: Final = "GPU-"
_MIG: Final = "MIG-"
#: The older form: MIG-<UUID of the GPU>/<GPU instance>/<compute instance>.
_MIG_OF_GPU: Final = re.compile(r"MIG-(GPU-[^/]+)/[0-9]+/[0-9]+")


def visible_devices(setting: str | None, uuids: Sequence[str | None]) -> tuple[int | None, ...]:
    """Return the GPUs that CUDA counts 0, 1, ..., each by its number at the driver.

    Args:
        setting: value of ``CUDA_VISIBLE_DEVICES``; None where it is not set.
        uuids: of the driver's GPUs, in its order; None where unknown.

    Returns:
        None for a GPU that the driver does not list as such: a MIG instance, or one with an unknown
        UUID.
    """
    if setting is None:
        return tuple(range(len(uuids)))
    entries = [entry.strip() for entry in setting.split(",")]
    if entries[0].startswith(_MIG):
        # CUDA shows a program one MIG instance at most
        return (None,) if _is_mig(entries[0], uuids) else ()
    by_uuid = entries[0].startswith(_GPU)
    found: list[int | None] = []
    named: set[int | str] = set()
    for entry in entries:
        number = _by_uuid(entry, uuids) if by_uuid else _by_number(entry, len(uuids))
        if number is None and not (by_uuid and _is_unknown(entry, uuids)):
            break
        name = entry if number is None else number
        if name in named:
            return ()
        named.add(name)
        found.append(number)
    return tuple(found)


def _by_number(entry: str, count: int) -> int | None:
    match = _NUMBER.match(entry)
    number = int(match[0]) if match else -1
    return number if 0 <= number < count else None


def _by_uuid(entry: str, uuids: Sequence[str | None]) -> int | None:
    """Return the one GPU whose UUID begins with ``entry``."""
    if not entry.startswith(_GPU):
        return None
    matching = [number for number, uuid in enumerate(uuids) if (uuid or "").startswith(entry)]
    return matching[0] if len(matching) == 1 else None


def _is_unknown(entry: str, uuids: Sequence[str | None]) -> bool:
    """Return whether ``entry`` may name a GPU whose UUID is unknown."""
    known = [uuid for uuid in uuids if uuid is not None]
    return (
        entry.startswith(_GPU)
        and len(known) < len(uuids)
        and not any(uuid.startswith(entry) for uuid in known)
    )


def _is_mig(entry: str, uuids: Sequence[str | None]) -> bool:
    """Return whether ``entry`` may name a MIG instance here; CUDA alone knows for sure."""
    if not uuids:
        return False
    match = _MIG_OF_GPU.fullmatch(entry)
    if match is not None:
        return _by_uuid(match[1], uuids) is not None or _is_unknown(match[1], uuids)
    return not entry.startswith(_MIG + _GPU) and len(entry) > len(_MIG)
