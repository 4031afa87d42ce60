"""``batch``: speaks a file of lines into a folder, over the same runs as the page."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from glmtts_core.batch.intake import run_in
from glmtts_core.batch.registry import batches_of
from glmtts_core.batch.results import write_results
from glmtts_core.batch.run import BatchRun
from glmtts_core.batch_draft.dry_run import check_defaults, dry_run
from glmtts_core.batch_files.lines import BatchInput, RunDefaults
from glmtts_core.batch_files.references import ReferenceFolder
from glmtts_core.batch_files.rows import read_batch
from glmtts_core.catalogue import Language
from glmtts_core.cli.batch_output import follow, tell_end, tell_hints, tell_layout, tell_run
from glmtts_core.cli.batch_settings import RunWish, differences
from glmtts_core.cli.paths import read_file, refuse_unusable_folder, shown
from glmtts_core.cli.say import tell_unused_seed
from glmtts_core.cli.stop import stop_requests
from glmtts_core.cli.task import Invocation
from glmtts_core.ending import STOPPED
from glmtts_core.errors import BatchError, SynthesisCancelled
from glmtts_core.files import scratch_folder
from glmtts_core.studio.studio import Studio


@dataclass(frozen=True, slots=True)
class BatchCommand:
    """What the command line asks for.

    Attributes:
        file: the lines.
        folder: of the run.
        references: the folder of the recordings that lines name.
        wish: the settings of the run.
        resume: carry on the run in ``folder``.
        retry_failed: ... failed lines too.
        override: ... with the settings of the wish.
    """

    file: Path
    folder: Path
    references: Path | None
    wish: RunWish
    resume: bool = False
    retry_failed: bool = False
    override: bool = False

    @property
    def name(self) -> str:
        """The name of the file, as it is shown."""
        return shown(Path(self.file.name))


def run_batch(command: BatchCommand, invocation: Invocation) -> int:
    """Speak the file; return the exit code: 0 all done, 1 not all, 130 stopped.

    Raises:
        GLMTTSError: the file, the folder or the run cannot be used.
    """
    raw = _read(command)
    resumes = run_in(command.folder)
    _refuse_wrong_folder(command, resumes)
    language = invocation.language
    with scratch_folder() as scratch, stop_requests() as stop_requested:
        settings = invocation.settings.model_copy(update={"output_dir": scratch})
        studio = Studio(settings, *invocation.engine_factories)
        try:
            preparation = _Preparation(command, raw, studio, stop_requested, language)
            run = preparation.resumed() if resumes else preparation.made()
            capabilities = studio.engines.find(run.header.defaults.engine).capabilities
            tell_unused_seed(command.wish.speech["seed"], capabilities, language)
            tell_run(run, language)
            if resumes and command.retry_failed:
                run.retry_failed()
            else:
                run.start()
            follow(run, stop_requested, language)
            for message in studio.engines.messages:
                print(message.text(language), file=sys.stderr)
            write_results(run, language)
            return tell_end(run, language)
        except SynthesisCancelled as cancelled:
            print(cancelled.text(language), file=sys.stderr)
            return STOPPED
        finally:
            studio.close()


def _read(command: BatchCommand) -> bytes:
    """Return the file, if both folders can be used as well."""
    raw = read_file(command.file, "cli.no_file")
    if not raw.strip():
        raise BatchError("batch.file.empty")
    refuse_unusable_folder(command.folder)
    if command.references is not None and not command.references.is_dir():
        reason = os.strerror(errno.ENOTDIR)
        raise BatchError("cli.no_folder", path=shown(command.references), reason=reason)
    return raw


def _refuse_wrong_folder(command: BatchCommand, is_run: bool) -> None:
    """Refuse to carry on what is not there, or to begin anew where a run is."""
    folder = shown(command.folder)
    if is_run and not command.resume:
        raise BatchError("batch.run.exists", folder=folder)
    given = {"--override": command.override, "--retry-failed": command.retry_failed}
    for option in filter(given.get, given):
        if not is_run:
            # the folder's name may be mistyped
            raise BatchError("cli.batch_no_run", option=option, folder=folder)


@dataclass(frozen=True, slots=True)
class _Preparation:
    """Makes or opens the run."""

    command: BatchCommand
    raw: bytes
    studio: Studio
    stop_requested: Callable[[], bool]
    language: Language

    def made(self) -> BatchRun:
        command = self.command
        defaults = command.wish.defaults(self.studio.engines)
        # where no folder is named, no recording can be found
        references = ReferenceFolder(command.references or command.folder / "references")
        return batches_of(self.studio).create(
            command.name,
            self.raw,
            self._checked(defaults, references),
            defaults,
            policy=command.wish.policy(),
            references=command.references,
            folder=command.folder,
        )

    def resumed(self) -> BatchRun:
        command, engines = self.command, self.studio.engines
        run = batches_of(self.studio).open(command.folder)
        header = run.header
        # a run may have left its engine open; one that is gone cannot carry it on
        engine = header.defaults.engine
        if engine in engines.names or command.wish.engine is None:
            engine = engines.find(engine).capabilities.engine
        before = header.defaults.changed(engine=engine), header.policy
        after = command.wish.defaults(engines, before[0]), command.wish.policy(header.policy)
        differing = differences(before, after)
        if differing and not command.override:
            folder = shown(command.folder)
            raise BatchError("cli.batch_differs", folder=folder, differences=differing)
        if after[0].engine == engine:
            after = after[0].changed(engine=header.defaults.engine), after[1]
        named = command.references
        if differing or named is not None or self.raw != run.store.read_input():
            references = run.store.references if named is None else ReferenceFolder(named)
            batch = self._checked(after[0], references)
            run.amend(self.raw, batch, named, *(after if differing else ()))
        return run

    def _checked(self, defaults: RunDefaults, references: ReferenceFolder) -> BatchInput:
        """Return the file's lines as checked against the engine and the recordings.

        Raises:
            SynthesisCancelled: the command is to stop.
            GLMTTSError: what holds for all lines cannot be done, or the file cannot be read.
        """

        def stop_where_asked(_: float = 1.0) -> None:
            if self.stop_requested():
                raise SynthesisCancelled("engine.cancelled")

        settings = self.studio.settings
        capabilities = self.studio.engines.find(defaults.engine).capabilities
        check_defaults(defaults, capabilities, references)
        batch = read_batch(self.raw, self.command.name)
        checked = dry_run(batch, defaults, references, capabilities, settings, stop_where_asked)
        stop_where_asked()
        tell_layout(checked, self.command.file, self.language)
        tell_hints(checked, self.language)
        return checked
