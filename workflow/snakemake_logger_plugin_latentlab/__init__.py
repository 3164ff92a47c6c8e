"""The logger plugin `latentlab` of Snakemake, which its name makes it find: `logger: latentlab` in profiles/default."""

import logging

from snakemake.logging import DefaultFilter, DefaultFormatter
from snakemake_interface_logger_plugins.base import LogHandlerBase

from latentlab.runtime.progress import ProgressPrinter


class LogHandler(LogHandlerBase):
    """Prints the progress of a run, and of a dry run what Snakemake itself prints: its list of jobs."""

    def __post_init__(self) -> None:
        # On a full disk Snakemake's own log cannot be written either, and Python would print a traceback for each of
        # its lines.
        logging.raiseExceptions = False
        settings = self.common_settings
        self.printer = ProgressPrinter(color=not settings.nocolor)
        self.lists_jobs = settings.dryrun
        if self.lists_jobs:
            self.setFormatter(DefaultFormatter(settings.quiet, settings.show_failed_logs))
            self.addFilter(
                DefaultFilter(
                    settings.quiet, settings.debug_dag, settings.verbose, settings.dryrun, settings.printshellcmds
                )
            )

    def emit(self, record: logging.LogRecord) -> None:
        if self.lists_jobs:
            self.printer.print(self.format(record))
        else:
            self.printer.handle(record)

    def close(self) -> None:
        self.printer.close()
        super().close()

    writes_to_stream = True
    writes_to_file = False
    has_filter = True
    has_formatter = True
    needs_rulegraph = False
