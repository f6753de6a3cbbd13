"""Commands that set up: a demonstration, a synthetic world, the service."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from features.fault import Fault
from pipelines import show
from pipelines.commands.shared_options import DAYS, current_settings
from service.runtime.private_files import make_home
from service.runtime.process_tuning import (
    in_its_own_process,
    one_copy_of_dictionaries,
    share_cores_among,
    without_training_libraries,
)
from service.runtime.shared_counters import counting_together

if TYPE_CHECKING:
    import uvicorn

    from service.settings import Settings

LOOPBACK = ("127.0.0.1", "::1", "localhost")
STARTUP_FAILURE = 3  # as uvicorn ends where the application cannot be started
STARTS_WITHIN = 60  # seconds a worker has to load and prove its bundle before it takes the place of another


def demo() -> None:
    """Run the main job end to end on a small synthetic world: ingest, check, train, register, score a day, report."""
    from pipelines.commands.demo import run

    run(current_settings(), datetime.now(UTC))


def synth(
    days: Annotated[int, typer.Option(min=1, help="days of traffic")] = 60,
    per_day: Annotated[int, typer.Option(min=1, help="consignments a day")] = 1500,
    seed: Annotated[int, typer.Option(help="the same seed gives the same world")] = 1,
    out: Annotated[Path, typer.Option(help="folder for manifests, outcomes and truth")] = Path("world"),
    start: Annotated[datetime, typer.Option(formats=DAYS, help="first day")] = datetime(2026, 1, 1),  # noqa: DTZ001
    end: Annotated[datetime | None, typer.Option(formats=DAYS, help="last day, in place of the first")] = None,
    family: Annotated[
        bool, typer.Option("--family", help="a world of the family: its parameters are drawn by the seed too")
    ] = False,
    receivers: Annotated[
        bool, typer.Option("--receivers", help="with schemes of who receives: resellers at home, drop points")
    ] = False,
) -> None:
    """Write a synthetic world: manifests/, outcomes/, and the truth in a file of its own."""
    from pipelines.synthetic import build_of_family, build_world

    first = start.date() if end is None else end.date() - timedelta(days=days - 1)
    with show.progress("days", days) as advance:
        build = build_of_family if family else build_world
        world = build(days, per_day, seed, out, start=first, receivers=receivers, progress=advance)
    show.line(
        f"{world.consignments:,} consignments in {world.messages:,} messages, {world.inspected:,} inspected, in {out}"
    )


def serve(
    host: Annotated[str, typer.Option(help="address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="port to listen on")] = 8000,
    workers: Annotated[int, typer.Option(min=1, help="processes, one for each core")] = 1,
) -> None:
    """Run the API and the console; Ctrl-C stops them cleanly, SIGHUP restarts several workers one after the other."""
    import uvicorn

    from service.runtime.forked_workers import serve_with_workers
    from service.runtime.http_connections import KEEP_ALIVE_SECONDS, BoundedHttp, accepted_at_once, raise_file_limit
    from service.runtime.log_lines import logging_of

    raise_file_limit()
    without_training_libraries()
    one_copy_of_dictionaries()
    share_cores_among(workers)
    settings = _or_of_the_demo(current_settings())
    if not settings.champion.exists() and not settings.bundles.is_dir():
        from service.serving.serving_bundle import NO_MODEL

        raise Fault(NO_MODEL)
    make_home(settings.home)
    if workers > 1:
        in_its_own_process(_let_in, settings, host, port)
    else:
        _let_in(settings, host, port)
    with counting_together(workers):
        config = uvicorn.Config(
            "service.worker:create", factory=True, host=host, port=port, workers=workers, access_log=False,
            timeout_worker_healthcheck=STARTS_WITHIN, http=BoundedHttp, timeout_keep_alive=KEEP_ALIVE_SECONDS,
            backlog=accepted_at_once(), log_config=logging_of(settings.log),
            loop="auto" if workers == 1 else "service.runtime.accepting:Sharing",
        )  # fmt: skip
        if workers > 1:
            serve_with_workers(config)
        else:
            _serve_alone(uvicorn.Server(config))


def _serve_alone(server: uvicorn.Server) -> None:
    """Serve in this process until a signal ends it."""
    server.config.load_app()
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        raise typer.Exit(STARTUP_FAILURE)


def _or_of_the_demo(settings: Settings) -> Settings:
    """The demo's home where nobody named another one and the standard one is empty: what `make demo` made is shown."""
    demo = settings.home / "demo"
    if "home" in settings.model_fields_set or settings.bundles.is_dir() or not (demo / "bundles").is_dir():
        return settings
    show.line(f"nothing was promoted in {settings.home} yet; this is the demo, TAMIS_HOME={demo}")
    os.environ["TAMIS_HOME"] = str(demo)  # the workers read it too
    return current_settings()


def _let_in(settings: Settings, host: str, port: int) -> None:
    """Say who can come in; where nobody can yet, print a link by which the first administrator is made."""
    from service.access import open_access
    from service.access.invitations import SET_UP

    if settings.access == "open" and host not in LOOPBACK:
        raise Fault(
            "TAMIS_ACCESS=open disables authentication and works on the loopback interface only; remove it, or --host"
        )
    access = open_access(settings)
    if not access.has_accounts():
        token = access.invite("", "admin", ["*"], SET_UP, datetime.now(UTC))
        place = settings.public_url.rstrip("/") or f"http://{host}:{port}"
        show.line(f"nobody has an account yet; make the first: {place}/console/invitation/{token}")
    access.store.close()
    show.line("anybody on this machine may call /v1" if settings.access == "open" else "who calls /v1 needs a key")
