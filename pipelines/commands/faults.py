"""What an exception means to whoever runs a command: one line with the remedy, or nothing where it is a bug."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator

from features.fault import Fault

# modules of the extra `train`
OF_TRAIN = ("great_expectations", "matplotlib", "mlflow", "pandas", "polars_hash", "shap", "sklearn")
NOT_INSTALLED = (
    "this needs {module}, which is not installed on a machine that only decides: "
    "install Tamis with its extra `train` (pip install 'tamis[train]')"
)
MISSING_LIBRARY = re.compile(r"(lib[\w.+-]+): cannot open shared object file")
FULL = (errno.ENOSPC, errno.EDQUOT)
FULL_DISK = "the disk is full: free space below TAMIS_HOME and run the command again"
NOT_OPENED = (
    "the store cannot be opened: check that its folder is there and can be written, or where TAMIS_STORE points"
)
OTHER_VERSION = "the store was made by another version of Tamis: run `tamis upgrade`, or the version that made it"
OF_SQLITE = {  # what SQLite says → what to do
    "database is locked": "the store is locked by another command or service: wait until it is done, and run it again",
    "disk is full": FULL_DISK,
    "unable to open": NOT_OPENED,
    "readonly database": "the store cannot be written: run the command as the user who owns TAMIS_HOME",
    "file is not a database": "the store is no SQLite database: check where TAMIS_STORE points",
    "malformed": "the store is damaged: stop the service and restore the last backup",
    "no such table": OTHER_VERSION,
    "no such column": OTHER_VERSION,
    "disk I/O error": "the store cannot be read or written: check the disk below TAMIS_HOME",
}
OF_POSTGRESQL = {  # names of exceptions of its driver → what to do
    "UndefinedTable": OTHER_VERSION,
    "UndefinedColumn": OTHER_VERSION,
    "LockNotAvailable": OF_SQLITE["database is locked"],
    "InsufficientPrivilege": "PostgreSQL refuses: the user of TAMIS_STORE needs the right to make and write tables",
    "DiskFull": "the disk of PostgreSQL is full: free space there and run the command again",
    "OperationalError": "PostgreSQL cannot be reached: check that it runs, and TAMIS_STORE (host, database, user)",
}


def sentence_of(fault: BaseException) -> str | None:
    """Say in one line what happened and what mends it; None for what no user can mend."""
    causes = list(_chain(fault))
    if any(_is_full(cause) for cause in causes):
        return FULL_DISK
    if isinstance(fault, Fault):
        return " ".join(str(fault).split())
    for cause in causes:
        if isinstance(cause, ModuleNotFoundError) and (module := (cause.name or "").split(".")[0]) in OF_TRAIN:
            return NOT_INSTALLED.format(module=module)
        if sentence := _of_database(cause):
            return sentence
    if isinstance(fault, OSError):
        return _of_system(fault)
    return None


def _chain(fault: BaseException) -> Iterator[BaseException]:
    """Go through an exception and what led to it, each once."""
    seen: set[int] = set()
    following: BaseException | None = fault
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        original = getattr(following, "orig", None)  # what SQLAlchemy wraps
        if isinstance(original, BaseException):
            yield original
        following = following.__cause__ or following.__context__


def _is_full(fault: BaseException) -> bool:
    """Whether a disk is full; libraries that are not written in Python keep the system's words and lose its number."""
    return (isinstance(fault, OSError) and fault.errno in FULL) or "No space left on device" in str(fault)


def _of_database(fault: BaseException) -> str | None:
    if type(fault).__module__ == "sqlite3":
        return next((sentence for words, sentence in OF_SQLITE.items() if words in str(fault)), None)
    if type(fault).__module__.partition(".")[0] == "psycopg":
        kinds = [kind.__name__ for kind in type(fault).__mro__]
        return next((OF_POSTGRESQL[kind] for kind in kinds if kind in OF_POSTGRESQL), None)
    return None


def _of_system(fault: OSError) -> str:
    """Say what the system refuses; which file it was stands in the traceback, as a name can be personal data."""
    if match := MISSING_LIBRARY.match(str(fault)):
        return f"the system lacks the library {match[1]}: install it (libgomp.so.1 is Debian's package libgomp1)"
    reason = (fault.strerror or type(fault).__name__).lower()
    return f"a file or a connection that is needed fails: {reason}; TAMIS_TRACEBACK=1 shows which and where"
