"""The environment as lines of text that can be copied into a bug report.

Contains no private path, no token and no name of the machine or its user.
"""

from __future__ import annotations

from glmtts_core.byte_units import GIB
from glmtts_core.catalogue import Language, text
from glmtts_core.diagnostics.environment import Environment, Limits
from glmtts_core.diagnostics.masking import masked


def report(environment: Environment, language: Language) -> str:
    """Return the environment as lines of text that can be copied into a bug report."""
    lines = [f"{name} {number}" for name, number in environment.versions.items()]
    lines.append(environment.system)
    lines.append(text("environment.engine", language, device=environment.engine_device))
    lines.append(text("environment.host", language, size=_gib(environment.host_total_bytes)))
    if environment.driver is not None:
        lines.append(text("environment.driver", language, version=environment.driver))
    for device in environment.devices:
        lines.append(
            text(
                "environment.gpu",
                language,
                index=device.index,
                name=device.name or text("environment.unknown", language),
                total=_gib(device.total_bytes) if device.total_bytes else "?",
            )
        )
    lines += _process_lines(environment, language)
    lines += _limit_lines(environment.limits, language)
    for setting in environment.settings:
        origin = text(f"environment.origin.{setting.origin}", language)
        lines.append(f"{setting.name}={setting.value} ({origin})")
    lines += [message.text(language) for message in environment.messages]
    return "\n".join(masked(line) for line in lines) + "\n"


def _process_lines(environment: Environment, language: Language) -> list[str]:
    lines = [
        text("environment.engine_process", language, engine=each.name, size=_gib(held))
        for each in environment.engines
        if (held := each.proportional_set_bytes)
    ]
    if (pages_bytes := environment.pages_bytes) is not None:
        lines.append(text("environment.pages_process", language, size=_gib(pages_bytes)))
    return lines


def _limit_lines(limits: Limits, language: Language) -> list[str]:
    known = {
        "environment.container": limits.container_bytes and _gib(limits.container_bytes),
        "environment.address_space": limits.address_space_bytes
        and _gib(limits.address_space_bytes),
        "environment.open_files": limits.open_files,
        "environment.processors": limits.processors,
    }
    return [text(key, language, limit=value) for key, value in known.items() if value]


def _gib(size_bytes: int) -> str:
    return f"{size_bytes / GIB:.1f} GiB"
