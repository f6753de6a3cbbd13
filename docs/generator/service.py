"""The pages of what the service is set up with, answers, counts and keeps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic_core import PydanticUndefined

from docs.generator.markdown import code, page, section, table
from service.access.permissions import PERMISSIONS, SCOPES
from service.api import message_routes, reference_pages, routes, search_routes
from service.api.metrics import Metrics
from service.api.state_metrics import DESCRIBED
from service.app import ROUTERS
from service.settings import PREFIX, Settings, accepted
from service.store import access_tables
from service.store.tables import TABLES
from service.store.vouching import BY_DIGEST, proof_of, unvouched_columns

API = (routes.router, message_routes.router, search_routes.router)
DOCS = (reference_pages.router,)
CONSOLE = tuple(router for router in ROUTERS if router not in (*API, *DOCS))


SETTINGS_INTRODUCTION = """
Settings are environment variables, or stand in a file: the one that `TAMIS_SETTINGS` names, or else
`/etc/tamis/tamis.toml` where it is there. The environment comes before the file. `tamis settings` shows what holds now,
and where it comes from.

In the file, TOML in UTF-8, each setting has the name of its variable in small letters, without `TAMIS_`. Write paths in
full.

```toml
home = "/var/lib/tamis"
public_url = "https://tamis.example"
answer_seconds = 3
```

A fault names the file, the setting and what it takes. A file in which `store` holds a password is refused while anybody
on the machine can read it.
"""


def settings_page() -> str:
    """Return the page of environment variables."""
    rows = [
        [code(f"{PREFIX}{name.upper()}"), code(_default(field)), accepted(name), field.description]
        for name, field in Settings.model_fields.items()
    ]
    more = """
`TAMIS_SETTINGS` names the settings file.
`POLARS_MAX_THREADS` overrides the share of the cores that each worker of `tamis serve --workers N` takes.
`TAMIS_TRACEBACK=1` shows where a fault was raised that a command otherwise names in one line.
"""
    return page(
        "Settings",
        SETTINGS_INTRODUCTION,
        table(["variable", "default", "takes", "meaning"], rows),
        more,
    )


def _default(field: Any) -> object:
    return "" if field.default in (None, PydanticUndefined) else field.default


def routes_page() -> str:
    """Return the page of routes with the roles that may call each."""
    openapi = [["GET", code("/openapi.json"), *_allowed("openapi"), "The description of the API."]]
    heads = ["method", "path", "roles", "reaches", "logged as a read", "does"]
    api = section("API", table(heads, [*_routes(API), *_routes(DOCS), *openapi]))
    console = section("Console", table(heads, _routes(CONSOLE)))
    how = "What is not allowed here is denied. [Integrate by API](../how-to/integrate.md) says how to call it."
    reach = section("Reaches", table(["word", "of what is on record"], [[code(w), SCOPES[w]] for w in SCOPES]))
    return page("Routes", how, reach, api, console)


def _routes(routers: tuple[Any, ...]) -> Iterator[list[str]]:
    for route in (route for router in routers for route in router.routes):
        methods = ", ".join(sorted(route.methods - {"HEAD"}))
        path = route.path.replace(":path", "")
        does = (route.endpoint.__doc__ or "").strip().split("\n\n")[0]
        yield [methods, code(path), *_allowed(route.name), does]


def _allowed(name: str) -> list[str]:
    row = PERMISSIONS[name]
    roles = "anybody" if row.public else ", ".join(code(role) for role in sorted(row.roles))
    return [
        roles,
        "" if row.scope == "nothing" else code(row.scope),
        "yes" if row.reads else "a dry run" if row.rehearses else "",
    ]


def metrics_page() -> str:
    """Return the page of Prometheus metrics."""
    rows = [
        [code(_exported(metric)), metric.type, ", ".join(map(code, family._labelnames)), metric.documentation]
        for family in _families(Metrics())
        for metric in family.describe()
    ]
    rows += [[code(name), "gauge", ", ".join(map(code, labels)), words] for name, (words, labels) in DESCRIBED.items()]
    what = """
`GET /metrics` answers these in the exposition format: counters of all workers, and how the service stands. No label
holds a name or an identifier of a person.
"""
    return page("Metrics", what, table(["metric", "type", "labels", "meaning"], rows))


def _exported(metric: Any) -> str:
    """Return the name that Prometheus reads: that of a counter bears its unit."""
    return f"{metric.name}_total" if metric.type == "counter" else str(metric.name)


def _families(metrics: Metrics) -> list[Any]:
    return [value for value in vars(metrics).values() if hasattr(value, "describe") and hasattr(value, "_labelnames")]


def _tables() -> list[Any]:
    """Return every table: those of access are declared in a module of their own."""
    assert access_tables.KEYS.metadata is TABLES  # noqa: S101 - one store holds both
    return list(TABLES.sorted_tables)


def tables_page() -> str:
    """Return the page of tables of the store."""
    heads = ["column", "type", "key", "may be empty", "vouched for by"]
    parts = [section(named.name, table(heads, map(_column, named.columns))) for named in _tables()]
    what = """
The store is SQLite or PostgreSQL. Read it with other tools if you like; write to it with Tamis alone, for the audit
log notices everything else. Moments are whole microseconds since 1970, UTC.

`tamis verify` finds any change of a column by what vouches for it: "digest" is [the digest of the
table](../explanation/audit-log.md#tables-beside-the-log).
"""
    return page("Tables of the store", what, *parts, section("Columns that nothing vouches for", _exceptions()))


def _column(column: Any) -> list[str]:
    key, empty = ("yes" if holds else "" for holds in (column.primary_key, column.nullable))
    return [code(column.name), str(column.type).lower(), key, empty, _proof(column)]


def _proof(column: Any) -> str:
    proof = proof_of(column)
    return "nothing; see below" if proof is None else "digest" if proof == BY_DIGEST else proof


def _exceptions() -> str:
    """List the columns of which verification finds no change, with the reason of each."""
    excepted = unvouched_columns(TABLES)
    if not excepted:
        return "None: every column of every table is vouched for."
    rows = [[code(name), code(column), reason] for (name, column), reason in excepted.items()]
    return table(["table", "column", "because"], rows)
