"""Settings of an installation, from the environment (`TAMIS_…`) or a file, with defaults that work on one machine."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from annotated_types import Gt, Le
from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from service.settings_file import FromFile, SettingsFault, settings_file, settings_of

PREFIX = "TAMIS_"
STORES = ("sqlite:///", "postgresql://", "postgresql+psycopg://")
A_CENTURY = 36_525  # days
HOST_NAME = re.compile(r"[A-Za-z0-9_.-]{1,253}|\[?[0-9A-Fa-f:.]{2,45}\]?")
PLACE = re.compile(rf"https?://({HOST_NAME.pattern})(:[0-9]{{1,5}})?/?")
READABLE = "the path of a file that exists and can be read"


def _usable_folder(path: Path) -> Path:
    """Check a folder, which need not exist yet and is not created here."""
    nearest = next(folder for folder in (path.absolute(), *path.absolute().parents) if folder.exists())
    if not nearest.is_dir() or not os.access(nearest, os.R_OK | os.X_OK):
        raise ValueError("no folder")
    return path


def _readable_file(path: Path) -> Path:
    if not path.is_file() or not os.access(path, os.R_OK):
        raise ValueError("no file")
    return path


def _known_store(address: str) -> str:
    if address and not address.startswith(STORES):
        raise ValueError("no driver")
    return address


def _web_address(address: str) -> str:
    if address and not address.startswith(("https://", "http://")):
        raise ValueError("no address")
    return address


def _folder_or_web_address(place: str) -> str:
    return _web_address(place) if "://" in place else place


def _place_of_service(address: str) -> str:
    if address and not PLACE.fullmatch(address):
        raise ValueError("no address of a service")
    return address


def _host_names(names: str) -> str:
    if any(not HOST_NAME.fullmatch(name) for name in _split(names)):
        raise ValueError("no host name")
    return names


def _split(names: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in names.split(",") if name.strip())


ReadableFile = Annotated[Path, AfterValidator(_readable_file)]


class Settings(BaseSettings):
    """Storage, limits, log-in and language of an installation.

    Every field is read from the environment variable of its name with the prefix `TAMIS_`, or else from the settings
    file (`service.settings_file`) under its name.
    """

    model_config = SettingsConfigDict(env_prefix="TAMIS_")

    home: Annotated[Path, AfterValidator(_usable_folder)] = Field(
        default=Path("var"), description="folder below which the product writes everything"
    )
    store: Annotated[str, AfterValidator(_known_store)] = Field(
        default="", description="database address; empty for store.db in the home folder"
    )
    language: Literal["en", "fr", "zh"] = Field(default="en", description="language of reasons")
    mapping: ReadableFile | None = Field(default=None, description="mapping file for messages received by a call")
    offices: ReadableFile | None = Field(
        default=None, description="file of the offices that there are, with their other names; any office when absent"
    )
    answers: ReadableFile | None = Field(
        default=None, description="file of code values of answers, replacing the standard ones"
    )
    kinds: ReadableFile | None = Field(
        default=None, description="file of the kinds of finding and their risk areas; the standard ones when absent"
    )
    lists_hours: float = Field(
        default=24, description="hours that watch lists count as fresh after an import", gt=0, le=24 * A_CENTURY
    )
    calls_at_once: int = Field(default=32, description="concurrent calls per process; further ones get 503", gt=0)
    answer_seconds: float = Field(
        default=5, description="seconds after which an unanswered call gets 503", gt=0, le=3_600
    )
    keep_compliant_days: int = Field(
        default=1096, description="days that files of compliant controls are kept", gt=0, le=A_CENTURY
    )
    keep_non_compliant_days: int = Field(
        default=3653, description="days that files with a finding are kept", gt=0, le=A_CENTURY
    )
    keep_not_inspected_days: int = Field(
        default=366, description="days that consignments without a control are kept", gt=0, le=A_CENTURY
    )
    access: Literal["keys", "open"] = Field(
        default="keys", description="who may call /v1: holders of a key, or anyone on this machine"
    )
    public_url: Annotated[str, AfterValidator(_place_of_service)] = Field(
        default="", description="address by which people reach the service, for links; empty: the one that they call"
    )
    hosts: Annotated[str, AfterValidator(_host_names)] = Field(
        default="", description="further host names by which the service may be called, separated by commas"
    )
    oidc_issuer: Annotated[str, AfterValidator(_web_address)] = Field(
        default="", description="OpenID Connect provider of users; empty: local accounts only"
    )
    oidc_client_id: str = Field(
        default="tamis", description="client identifier of this service at the provider", min_length=1
    )
    oidc_client_secret: ReadableFile | None = Field(
        default=None, description="file with the client secret; empty: a public client"
    )
    oidc_role_claim: str = Field(default="tamis_role", description="claim that holds a user's role", min_length=1)
    oidc_offices_claim: str = Field(
        default="tamis_offices", description="claim that lists a user's offices", min_length=1
    )
    calls_a_minute: int = Field(
        default=6000, description="calls per minute, caller and process; further ones get 429", gt=0
    )
    amqp_credentials: ReadableFile | None = Field(
        default=None, description="file with `user:password` for brokers that webhooks publish to (`tamis[amqp]`)"
    )
    checkpoint_place: Annotated[str, AfterValidator(_folder_or_web_address)] = Field(
        default="",
        description="folder or http address of a second place, to which signed checkpoints are sent; empty: none",
    )
    checkpoint_token: ReadableFile | None = Field(
        default=None, description="file with the bearer token for a second place with an http address"
    )
    log: Literal["json", "text"] = Field(
        default="json", description="form of the service's log: a JSON object a line, or text for the eye"
    )
    body_limit: int = Field(default=8 * 1024**2, description="largest request body in bytes", gt=0)

    def __init__(self, **given: Any) -> None:
        """Raises SettingsFault in one line where a setting cannot be."""
        try:
            super().__init__(**given)
        except ValidationError as fault:
            wrong = sorted({str(error["loc"][0]).lower() for error in fault.errors(include_input=False)})
            if unknown := set(wrong) - set(Settings.model_fields):
                raise TypeError(f"settings know no {', '.join(sorted(unknown))}") from None
            raise SettingsFault("; ".join(f"{_where(name, given)} takes {accepted(name)}" for name in wrong)) from None

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource, *_others: PydanticBaseSettingsSource, **_named: Any,
    ) -> tuple[PydanticBaseSettingsSource, ...]:  # fmt: skip
        """Take what a caller gives before the environment, and that before the file."""
        return init_settings, env_settings, FromFile(settings_cls)

    @property
    def host_names(self) -> tuple[str, ...]:
        """Return the further host names, without the brackets of an IPv6 address."""
        return tuple(name.strip("[]") for name in _split(self.hosts))

    @property
    def archive(self) -> Path:
        return self.home / "archive"

    @property
    def bundles(self) -> Path:
        return self.home / "bundles"

    @property
    def champion(self) -> Path:
        """Return the file that holds the name of the bundle now serving."""
        return self.bundles / "champion"

    @property
    def former(self) -> Path:
        """Return the file that holds the name of the bundle that served before."""
        return self.bundles / "former"

    @property
    def serving(self) -> Path:
        """Return the folder of the bundle now serving."""
        name = self.champion.read_text(encoding="utf-8").strip() if self.champion.exists() else "none"
        return self.bundles / name

    @property
    def history(self) -> Path:
        """Return the folder of compacted history of a PostgreSQL store, shared by all machines; unused for SQLite."""
        return self.home / "history"

    @property
    def checkpoints(self) -> Path:
        """Return the folder of signed checkpoints of the audit log: copy it out of reach of writers of the store."""
        return self.home / "checkpoints"

    @property
    def read_log(self) -> Path:
        """Return the folder of reads of personal data that are noted and not in the store yet."""
        return self.home / "read-log"

    @property
    def checkpoint_copies(self) -> Path:
        """Return the file that says how far checkpoints were sent to the second place."""
        return self.home / "checkpoint_copies.json"

    @property
    def linking(self) -> Path:
        """Return the file of the linking switch: on while it exists; `tamis link --on` writes it."""
        return self.home / "linking.json"

    @property
    def linking_addressees(self) -> Path:
        """Return the file of the switch of linking addressees, apart from that of senders."""
        return self.home / "linking-addressees.json"

    @property
    def keys(self) -> Path:
        return self.home / "keys"

    @property
    def reports(self) -> Path:
        return self.home / "reports"

    @property
    def artifacts(self) -> Path:
        return self.home / "artifacts"

    @property
    def tracking(self) -> Path:
        return self.home / "mlflow.db"

    @property
    def store_address(self) -> str:
        return self.store or f"sqlite:///{(self.home / 'store.db').absolute()}"


def source_of(name: str) -> Literal["environment", "file", "default"]:
    """Say where a setting that nobody gives in the program comes from."""
    if f"{PREFIX}{name}".lower() in map(str.lower, os.environ):
        return "environment"
    path = settings_file()
    return "file" if path is not None and name in settings_of(path, Settings.model_fields) else "default"


def _where(name: str, given: Mapping[str, Any]) -> str:
    """Name a setting by where it was said: in its file, or else by its environment variable."""
    if name not in given and source_of(name) == "file":
        return f"{settings_file()}: {name}"
    return f"{PREFIX}{name.upper()}"


SPECIAL = {  # what a setting takes, where its type does not say it
    "home": "the path of a folder that can be read, or of one to be made",
    "store": f"an address that begins with {', '.join(STORES)}; empty for store.db in the home folder",
    "public_url": "an address such as https://tamis.example, without a path; empty for the one that is called",
    "hosts": "host names separated by commas, without ports; empty for no further one",
    "checkpoint_place": "the path of a folder, or an address that begins with https:// or http://; empty for none",
    "oidc_issuer": "an address that begins with https:// or http://; empty for local accounts alone",
}


def accepted(name: str) -> str:
    """Say what a setting takes, as its declaration tells."""
    field = Settings.model_fields[name]
    if name in SPECIAL:
        return SPECIAL[name]
    if get_origin(field.annotation) is Literal:
        return " or ".join(get_args(field.annotation))
    if field.annotation not in (int, float):
        return "a text of at least one character" if field.annotation is str else READABLE
    number = "a whole number" if field.annotation is int else "a number"
    lower = next((f" above {limit.gt}" for limit in field.metadata if isinstance(limit, Gt)), "")
    upper = next((f" and at most {limit.le}" for limit in field.metadata if isinstance(limit, Le)), "")
    return f"{number}{lower}{upper}"
