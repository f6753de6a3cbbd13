"""What workers are forked from: the application, loaded once; loading it opens nothing and starts no thread."""

from __future__ import annotations

import gc
from importlib import import_module

from features.fault import Fault
from service.runtime.log_lines import log_lines
from service.runtime.process_tuning import one_copy_of_dictionaries, without_training_libraries
from service.settings import Settings

CHINESE = "李"  # with which the dictionaries are loaded, so that all workers share them


def load() -> None:
    """Load the application; what fails is left to the workers, which say it where their log is read."""
    without_training_libraries()
    one_copy_of_dictionaries()
    try:
        log_lines(Settings().log)
        import_module("service.app")
        import_module("service.record.search_keys").read_tables()
        import_module("features.identifiers.pinyin").pinyin_of(CHINESE)
    except (Fault, ImportError):
        return
    gc.collect()
    gc.freeze()  # no collection of a worker touches, and so copies, what is shared


load()
