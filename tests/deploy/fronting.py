"""nginx as deploy/nginx configures it, with a certificate of its own, on free ports before a service that runs."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.certificates import certify
from tests.service.processes import REPOSITORY, free_port

NAME, SHIPPED = "tamis.example", REPOSITORY / "deploy" / "nginx"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
HEADER_SECONDS = 3  # in place of the ten that are shipped: a test must not wait for these


@dataclass(frozen=True)
class Front:
    """The ports of nginx, what a client believes, and the folder of its logs."""

    tls: int
    plain: int
    trust: ssl.SSLContext
    folder: Path

    def connect(self, name: str = NAME) -> ssl.SSLSocket:
        """Open a connection by TLS, with nothing sent on it."""
        opened = socket.create_connection(("127.0.0.1", self.tls), timeout=10)
        return self.trust.wrap_socket(opened, server_hostname=name)


@contextmanager
def fronting(folder: Path, service: int) -> Iterator[Front]:
    """Run nginx with the shipped files; only places, ports, user and one time are other ones."""
    assert NGINX is not None
    tls, plain = free_port(), free_port()
    certificate = certify(folder / "tls", NAME)
    _configure(folder, service, tls, plain)
    checked = subprocess.run([NGINX, "-t", "-c", folder / "nginx.conf"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    process = subprocess.Popen([NGINX, "-c", folder / "nginx.conf", "-g", "daemon off;"], stderr=subprocess.PIPE)
    try:
        until = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", tls), timeout=1).close()
                break
            except OSError:
                assert time.monotonic() < until
                time.sleep(0.05)
        yield Front(tls, plain, ssl.create_default_context(cafile=str(certificate)), folder)
    finally:
        process.terminate()
        process.wait(20)


def _configure(folder: Path, service: int, tls: int, plain: int) -> None:
    temporary = "".join(f"    {kind}_temp_path {folder}/{kind};\n" for kind in
                        ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))  # fmt: skip
    for name in ("nginx.conf", "tamis.conf"):
        text = (SHIPPED / name).read_text(encoding="utf-8")
        for shipped, here in (
            ("/etc/nginx", str(folder)), ("/var/log/nginx", str(folder)), ("/run/nginx.pid", f"{folder}/pid"),
            ("user www-data;", "user root;"), ("http {\n", f"http {{\n{temporary}"),
            ("127.0.0.1:8000", f"127.0.0.1:{service}"), ("listen 443", f"listen 127.0.0.1:{tls}"),
            ("listen 80", f"listen 127.0.0.1:{plain}"),
            ("client_header_timeout 10s", f"client_header_timeout {HEADER_SECONDS}s"),
        ):  # fmt: skip
            text = text.replace(shipped, here)
        (folder / name).write_text(text, encoding="utf-8")
