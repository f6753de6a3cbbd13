"""Settings of an installation, from the environment (`TAMIS_…`) with defaults that work on one machine."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Where the product writes, what it listens on, and the language of its reasons.

    Every field is read from the environment variable of its name with the prefix `TAMIS_`.
    """

    model_config = SettingsConfigDict(env_prefix="TAMIS_")

    home: Path = Field(default=Path("var"), description="everything the product writes lies below this folder")
    store: str = Field(default="", description="database address; empty for store.db in the home folder")
    language: Literal["en", "fr", "zh"] = Field(default="en", description="language of reasons")
    mapping: Path | None = Field(default=None, description="mapping file for messages that come by a call")
    answers: Path | None = Field(default=None, description="code values of answers, instead of the standard ones")
    lists_hours: float = Field(default=24, description="so long watch lists count as fresh after an import", gt=0)
    calls_at_once: int = Field(default=32, description="calls worked on at once by a process; more get 503", gt=0)
    answer_seconds: float = Field(default=5, description="a call not answered within it gets 503", gt=0)
    keep_compliant_days: int = Field(default=1096, description="files of compliant controls are kept so long", gt=0)
    keep_non_compliant_days: int = Field(default=3653, description="files with a finding are kept so long", gt=0)
    keep_not_inspected_days: int = Field(default=366, description="what nobody looked at is kept so long", gt=0)
    access: Literal["keys", "open"] = Field(
        default="keys", description="who may call /v1: whoever has a key, or anybody on this machine"
    )
    oidc_issuer: str = Field(default="", description="OpenID Connect provider of people; empty: local accounts alone")
    oidc_client_id: str = Field(default="tamis", description="how the provider knows this service")
    oidc_client_secret: Path | None = Field(default=None, description="file with its secret; without: a public client")
    oidc_role_claim: str = Field(default="tamis_role", description="claim that names a person's role")
    oidc_offices_claim: str = Field(default="tamis_offices", description="claim that lists a person's offices")
    calls_a_minute: int = Field(default=6000, description="of each caller and process; more get 429", gt=0)
    body_limit: int = Field(default=8 * 1024**2, description="largest request body in bytes", gt=0)

    @property
    def archive(self) -> Path:
        return self.home / "archive"

    @property
    def bundles(self) -> Path:
        return self.home / "bundles"

    @property
    def champion(self) -> Path:
        """A file that holds the name of the bundle now serving."""
        return self.bundles / "champion"

    @property
    def former(self) -> Path:
        """A file that holds the name of the bundle that served before."""
        return self.bundles / "former"

    @property
    def serving(self) -> Path:
        """The folder of the bundle now serving."""
        name = self.champion.read_text(encoding="utf-8").strip() if self.champion.exists() else "none"
        return self.bundles / name

    @property
    def history(self) -> Path:
        """Settled history of a PostgreSQL store, for all machines that share it; that of a SQLite file is beside it."""
        return self.home / "history"

    @property
    def checkpoints(self) -> Path:
        """Signed checkpoints of the audit chain: to be copied elsewhere, where whoever can write the store cannot."""
        return self.home / "checkpoints"

    @property
    def linking(self) -> Path:
        """The switch of linking: on while the file is there; `tamis link --on` writes it."""
        return self.home / "linking.json"

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
