"""How the benchmarks print: the machine first, then a row a figure with its spread and target."""

from __future__ import annotations

import argparse
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version

MIB = 2**20


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure: every run's value, its unit and, where there is one, the target."""

    name: str
    values: Sequence[float]
    unit: str
    target: str = ""

    @property
    def median(self) -> float:
        """Median of the runs."""
        return statistics.median(self.values)


def count(words: str) -> int:
    """Return what an option counts, for argparse: a whole number from 1 on."""
    try:
        number = int(words)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{words} is not a whole number from 1 on")
    return number


def print_machine(*packages: str) -> None:
    """Print processor count, system, Python and the versions of ``packages``."""
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    print(f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, ", end="")
    print(f"Python {platform.python_version()}{', ' if versions else ''}{versions}")


def print_figures(figures: Sequence[Figure]) -> None:
    """Print a row a figure: runs, minimum, median, maximum, unit, target."""
    width = max(len(figure.name) for figure in figures)
    print(f"{'':{width}}  runs        min     median        max")
    for figure in figures:
        low, high = min(figure.values), max(figure.values)
        print(
            f"{figure.name:{width}}  {len(figure.values):4d} {low:10.4g} {figure.median:10.4g} "
            f"{high:10.4g} {figure.unit}{f'   (target {figure.target})' if figure.target else ''}"
        )
