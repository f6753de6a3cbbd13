"""Mail to the people of an installation: by the server that the settings name, and never without TLS."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import localtime, make_msgid
from urllib.parse import urlsplit

from features.fault import Fault
from service.settings import Settings

SECONDS = 10.0  # for each step of the talk with the server
PORTS = {"smtps": 465, "smtp": 587}  # TLS from the first byte, or asked for before anything else is said


class NotMailed(Fault):
    """A mail that the server did not take; the message says at which step, and nothing of the mail."""


def require_mail(settings: Settings) -> None:
    """Raise Fault where the settings do not say how mail is sent."""
    for name in ("mail_server", "mail_from"):
        if not getattr(settings, name):
            raise Fault(f"mail cannot be sent: set TAMIS_{name.upper()}")
    if bool(settings.mail_user) != bool(settings.mail_password):
        raise Fault("mail cannot be sent: set both TAMIS_MAIL_USER and TAMIS_MAIL_PASSWORD, or neither")


def send_mail(settings: Settings, to: str, subject: str, text: str) -> None:
    """Send a mail; raises NotMailed."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = settings.mail_from, to, subject
    message["Date"] = localtime()
    message["Message-ID"] = make_msgid(domain=settings.mail_from.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence is answered to it
    message.set_content(text)
    try:
        with _connected(settings) as server:
            if settings.mail_password is not None:
                _log_in(server, settings.mail_user, settings.mail_password.read_text(encoding="utf-8").strip())
            server.send_message(message)
    except smtplib.SMTPNotSupportedError as fault:
        raise NotMailed("the mail server offers no TLS, or no log-in with a password") from fault
    except ssl.SSLError as fault:
        raise NotMailed("the certificate of the mail server cannot be trusted (SSL_CERT_FILE names others)") from fault
    except (smtplib.SMTPException, OSError) as fault:
        raise NotMailed(f"the mail server does not take it ({type(fault).__name__})") from fault


def _log_in(server: smtplib.SMTP, user: str, password: str) -> None:
    try:
        server.login(user, password)
    except smtplib.SMTPNotSupportedError:
        raise
    except smtplib.SMTPException as fault:  # after a few tries some servers close the connection
        raise NotMailed("the mail server refuses the log-in") from fault


def _connected(settings: Settings) -> smtplib.SMTP:
    place, trusted = urlsplit(settings.mail_server), ssl.create_default_context()
    host, port = place.hostname or "", place.port or PORTS[place.scheme]
    if place.scheme == "smtps":
        return smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=trusted)
    server = smtplib.SMTP(host, port, timeout=SECONDS)
    try:
        server.starttls(context=trusted)
    except BaseException:  # an interrupt too: no connection stays open that is not under TLS
        server.close()
        raise
    return server
