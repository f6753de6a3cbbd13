"""Mail goes to a real SMTP server, by TLS alone; what the server does not take is said without the mail."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from features.fault import Fault
from pipelines.batch.mail import NotMailed, require_mail, send_mail
from pipelines.commands.usage import BadValue
from pipelines.commands.watch_command import _told, address_to_tell
from service.settings import Settings
from tests.certificates import certify

FROM, TO, USER, PASSWORD = "tamis@office.example", "duty@office.example", "tamis", "kept in a file"
TEXT = "Tamis refused a file; it lies with the reason in /srv/tamis/refused/7 – déjà vu"


@dataclass
class Mailbox:
    """What a server took, and whether it came by TLS and after a log-in."""

    mails: list[EmailMessage] = field(default_factory=list)
    how: list[tuple[bool, bool]] = field(default_factory=list)

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802 - what aiosmtpd calls
        read = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(read, EmailMessage)
        self.mails.append(read)
        by_tls = server.transport is not None and server.transport.get_extra_info("ssl_object") is not None
        self.how.append((by_tls, bool(session.authenticated)))
        return "250 taken"


class Listening(Controller):
    """A server on a free port: with TLS from the first byte, with STARTTLS, or without any."""

    def __init__(self, mailbox: Mailbox, certificate: Path, kind: str) -> None:
        trusted = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        trusted.load_cert_chain(certificate, certificate.with_name("tamis.key"))
        how: dict[str, Any] = {"ssl_context": trusted} if kind == "smtps" else {}
        if kind == "starttls":
            how = {"tls_context": trusted, "require_starttls": True}
        how |= {"authenticator": _knows, "auth_exclude_mechanism": ["LOGIN"], "auth_require_tls": kind == "starttls"}
        super().__init__(mailbox, hostname="localhost", port=0, **how)

    def _trigger_server(self) -> None:
        """Ask the system which port it gave before the first connection is made."""
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
        super()._trigger_server()  # type: ignore[no-untyped-call]


def _knows(_server: SMTP, _session: Any, _envelope: Any, _mechanism: str, given: LoginPassword) -> AuthResult:
    return AuthResult(success=(given.login, given.password) == (USER.encode(), PASSWORD.encode()))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certify(tmp_path_factory.mktemp("mail") / "tls", "localhost")


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def server(request: pytest.FixtureRequest, mailbox: Mailbox, certificate: Path) -> Iterator[Listening]:
    listening = Listening(mailbox, certificate, getattr(request, "param", "starttls"))
    listening.start()
    yield listening
    listening.stop()


def settings_of(server: Listening, tmp_path: Path, scheme: str = "smtp", password: str = PASSWORD) -> Settings:
    secret = tmp_path / "mail.password"
    secret.write_text(password + "\n", encoding="utf-8")
    return Settings(
        home=tmp_path, mail_server=f"{scheme}://localhost:{server.port}", mail_from=FROM, mail_user=USER,
        mail_password=secret,
    )  # fmt: skip


@pytest.fixture
def trusting(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))


@pytest.mark.parametrize(("server", "scheme"), [("starttls", "smtp"), ("smtps", "smtps")], indirect=["server"])
def test_what_is_told_arrives_by_tls_after_a_log_in(
    server: Listening, scheme: str, mailbox: Mailbox, trusting: None, tmp_path: Path
) -> None:
    assert _told(settings_of(server, tmp_path, scheme), f"mailto:{TO}", TEXT)
    (mail,) = mailbox.mails
    assert mailbox.how == [(True, True)]
    assert (mail["From"], mail["To"], mail["Auto-Submitted"]) == (FROM, TO, "auto-generated")
    assert mail.get_content().strip() == TEXT
    assert mail["Date"]
    assert mail["Message-ID"].endswith("@office.example>")


@pytest.mark.parametrize("server", ["plain"], indirect=True)
def test_nothing_goes_to_a_server_without_tls(
    server: Listening, mailbox: Mailbox, trusting: None, tmp_path: Path
) -> None:
    with pytest.raises(NotMailed, match="offers no TLS"):
        send_mail(settings_of(server, tmp_path), TO, "subject", TEXT)
    assert mailbox.mails == []


def test_nothing_goes_to_a_server_whose_certificate_is_not_trusted(
    server: Listening, mailbox: Mailbox, tmp_path: Path
) -> None:
    with pytest.raises(NotMailed, match="certificate"):
        send_mail(settings_of(server, tmp_path), TO, "subject", TEXT)
    assert mailbox.mails == []


def test_a_refusal_is_said_without_the_mail_and_the_password(
    server: Listening, trusting: None, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("pipelines.batch.mail.SECONDS", 0.5)  # this server does not answer to the end after a refusal
    assert not _told(settings_of(server, tmp_path, password="another one"), f"mailto:{TO}", TEXT)
    printed = "".join(capsys.readouterr())
    assert "the mail server refuses the log-in" in printed
    for kept in (TEXT[:20], TO, "another one"):
        assert kept not in printed


def test_a_server_that_is_out_is_said_so(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, mail_server="smtps://localhost:1", mail_from=FROM)
    with pytest.raises(NotMailed, match="ConnectionRefusedError"):
        send_mail(settings, TO, "subject", TEXT)


def test_what_is_lacking_is_said_before_anything_is_scored(tmp_path: Path) -> None:
    with pytest.raises(Fault, match="TAMIS_MAIL_SERVER"):
        require_mail(Settings(home=tmp_path))
    with pytest.raises(Fault, match="TAMIS_MAIL_FROM"):
        require_mail(Settings(home=tmp_path, mail_server="smtp://mail.office.example"))
    with pytest.raises(Fault, match="both"):
        require_mail(Settings(home=tmp_path, mail_server="smtp://m.example", mail_from=FROM, mail_user=USER))
    for wrong in ("mailto:", "mailto:two@a.example,three@a.example", f"mailto:{TO}\nBcc: x@y.example"):
        with pytest.raises(BadValue, match="one mailbox"):
            address_to_tell(wrong)
    assert address_to_tell(f"mailto:{TO}") == f"mailto:{TO}"
