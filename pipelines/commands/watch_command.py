"""`tamis watch`: score what arrives in a folder, as `tamis score` does, and move it on with its answers."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from features.choices import AnswerKind
from features.fault import Fault
from pipelines import show
from pipelines.commands.faults import sentence_of
from pipelines.commands.scoring_run import judges, score_and_publish
from pipelines.commands.shared_options import FormatOption, MappingFile, current_settings, mapping_of
from pipelines.commands.usage import BadValue

if TYPE_CHECKING:
    from pipelines.batch.watched_folder import Job, WatchedFolder
    from service.settings import Settings

LATER = 60.0  # seconds after which a file is tried again that could not be scored for a reason that is not its own
TELL_SECONDS = 10.0
MAILTO, SUBJECT = "mailto:", "Tamis: a file was not scored"
ENDED = "it was given up: the command ended {tries} times while it had this file"


def folder_to_watch(path: Path) -> Path:
    """Take a folder that is there."""
    if not path.is_dir():
        raise BadValue("it is no folder; make it first")
    return path


def address_to_tell(url: str) -> str:
    """Take an address that may be told, or none: of the web, or a mailbox."""
    from service.settings import MAILBOX
    from service.webhooks.broker import is_broker
    from service.webhooks.signature import check_url

    if url.startswith(MAILTO):
        if not MAILBOX.fullmatch(url.removeprefix(MAILTO)):
            raise BadValue("mailto: and one mailbox, such as mailto:duty@office.example")
        return url
    try:
        if url and is_broker(check_url(url)):
            raise BadValue("an address that begins with https:// or mailto:")
    except Fault as fault:
        raise BadValue(str(fault).removeprefix("url: ")) from None
    return url


def watch(
    folder: Annotated[Path, typer.Argument(help="folder that files arrive in", callback=folder_to_watch)],
    mapping: MappingFile = None,
    format: FormatOption = None,
    answer: Annotated[AnswerKind | None, typer.Option(help="also write an answer to each file, in these words")] = None,
    settle: Annotated[float, typer.Option(min=0.1, help="seconds without a change after which a file is whole")] = 10.0,
    every: Annotated[float, typer.Option(min=0.1, help="seconds between two looks")] = 5.0,
    tell: Annotated[
        str,
        typer.Option(
            help="what is told of failures: an https address, as of a chat, or mailto:MAILBOX",
            callback=address_to_tell,
        ),
    ] = "",
    once: Annotated[bool, typer.Option("--once", help="end when all that is there has been taken")] = False,
) -> None:
    """Score each file that arrives in a folder, once, and move it to `done` or `refused` with its answers beside it.

    It may be ended at any moment: what was under way goes on with the next start.
    """
    from pipelines.batch.mail import require_mail
    from pipelines.batch.watched_folder import WatchedFolder
    from service.runtime.batch_lease import leases

    rules, settings, judged = mapping_of(mapping), current_settings(), judges(None)
    if tell.startswith(MAILTO):
        require_mail(settings)
    watched = WatchedFolder(folder)
    watched.make()

    def score(job: Job) -> Any:
        return score_and_publish(
            settings, [job.file], job.answers, rules, format=format, answer=answer, judged=judged, kept_in=folder
        )

    with leases([folder / ".watch.lease"]):
        show.line(f"watching {folder}")
        _Watch(watched, score, partial(_told, settings, tell) if tell else None).run(settle, every, once=once)


class _Watch:
    """The loop: look, take, score, move on, tell."""

    def __init__(self, watched: WatchedFolder, score: Callable[[Job], Any], tell: Callable[[str], bool] | None) -> None:
        self.watched, self.score, self.tell = watched, score, tell
        self.not_before = self.tell_again = 0.0
        self.failing = ""

    def run(self, settle: float, every: float, *, once: bool) -> None:
        """Go on until the process is ended; once: until nothing is there that has not been taken."""
        while True:
            if time.monotonic() >= self.not_before:
                self._take_what_is_there(settle)
            self._tell_of_refused()
            if once and not self.watched.waits():
                if self.failing:
                    raise Fault(self.failing)
                return
            time.sleep(every)

    def _take_what_is_there(self, settle: float) -> None:
        for job in self.watched.begun():
            if not self._scored(job):
                return
        for path in self.watched.complete(time.monotonic(), settle):
            job_taken = self.watched.take(path)
            if job_taken is None:
                show.line(f"{path.name}: taken before; it is in `again`")
            elif not self._scored(job_taken):
                return

    def _scored(self, job: Job) -> bool:
        """Score a file and move it on; false where it waits for a reason that is not its own."""
        tries = job.begin()
        if tries >= _most_tries():
            self._refused(job, ENDED.format(tries=tries))
            return True
        try:
            result, summary = self.score(job)
        except Exception as fault:  # what no user can mend is raised
            if (sentence := sentence_of(fault)) is None:
                raise
            self._wait(job, sentence)
            return False
        self.failing = ""
        if result.refused.height and not result.accepted:
            self._refused(job, " ".join(result.refusals))
        else:
            goal = self.watched.finish(job)
            show.line(f"{job.file.name}: {show.counted(summary['consignments'], 'consignment')} decided; {goal}")
        return True

    def _wait(self, job: Job, sentence: str) -> None:
        job.wait()
        self.not_before = time.monotonic() + LATER
        show.line(f"{job.file.name} waits: {sentence}")
        if self.tell and sentence != self.failing:
            self.tell(f"Tamis cannot score {job.file.name}; it is tried again: {sentence}")
        self.failing = sentence

    def _refused(self, job: Job, why: str) -> None:
        goal = self.watched.refuse(job, why, tell=self.tell is not None)
        show.line(f"{job.file.name}: refused; {why}; {goal}")

    def _tell_of_refused(self) -> None:
        """Tell of refused files; the mark stays until that was taken, however often the command ends meanwhile."""
        from pipelines.batch.watched_folder import UNTOLD

        if not self.tell or time.monotonic() < self.tell_again:
            return
        for folder in self.watched.untold():  # the reason may name consignments: it stays on the machine
            if not self.tell(f"Tamis refused a file; it lies with the reason in {folder.absolute()}"):
                self.tell_again = time.monotonic() + LATER
                return
            (folder / UNTOLD).unlink()


def _most_tries() -> int:
    from pipelines.batch.watched_folder import MOST_TRIES

    return MOST_TRIES


def _told(settings: Settings, url: str, text: str) -> bool:
    """Tell a mailbox, or an address in the form that chats take (`{"text": …}`); say whether it was taken."""
    if url.startswith(MAILTO):
        return _mailed(settings, url.removeprefix(MAILTO), text)
    import httpx

    try:
        answer = httpx.post(url, json={"text": text}, timeout=TELL_SECONDS, follow_redirects=False)
    except httpx.HTTPError as fault:
        show.line(f"! nobody is told: {type(fault).__name__}")
        return False
    if not answer.is_success:
        show.line(f"! nobody is told: the address answers {answer.status_code}")
    return answer.is_success


def _mailed(settings: Settings, to: str, text: str) -> bool:
    from pipelines.batch.mail import NotMailed, send_mail

    try:
        send_mail(settings, to, SUBJECT, text)
    except NotMailed as fault:
        show.line(f"! nobody is told: {fault}")
        return False
    return True
