"""An OpenID Connect provider of our own, on a real port: discovery, authorisation with PKCE, token, keys."""

from __future__ import annotations

import base64
import hashlib
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

CLIENT, SECRET = "tamis", "a secret that lies in a file"


@dataclass
class Elsewhere:
    """claims: what it says of whoever logs in. twisted: claims that it states wrongly. key: by which it signs."""

    issuer: str
    claims: dict[str, Any] = field(default_factory=dict)
    twisted: dict[str, Any] = field(default_factory=dict)
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "1"}))
    published: RSAKey | None = None
    asked: dict[str, dict[str, str]] = field(default_factory=dict)

    def id_token(self, nonce: str) -> str:
        told = {"iss": self.issuer, "aud": CLIENT, "exp": int(time.time()) + 300, "sub": "17", "nonce": nonce}
        told = {k: v for k, v in {**told, **self.claims, **self.twisted}.items() if v is not None}
        return jwt.encode({"alg": "RS256", "kid": "1"}, told, self.key)

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.get("/.well-known/openid-configuration")
        def discovery() -> dict[str, str]:
            places = {
                name: f"{self.issuer}/{name}" for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")
            }
            return {"issuer": self.issuer, **places}

        @app.get("/jwks_uri")
        def keys() -> Any:
            return KeySet([self.published or self.key]).as_dict(private=False)

        @app.get("/authorization_endpoint")
        def authorise(request: Request) -> RedirectResponse:
            code = secrets.token_hex(8)
            self.asked[code] = dict(request.query_params)
            back = {"code": code, "state": request.query_params["state"]}
            return RedirectResponse(f"{request.query_params['redirect_uri']}?{urlencode(back)}")

        @app.post("/token_endpoint")
        async def token(request: Request) -> JSONResponse:
            form, basic = await request.form(), base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
            asked = self.asked.pop(str(form["code"]), None)
            digest = hashlib.sha256(str(form["code_verifier"]).encode()).digest()
            challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            from_client = request.headers["authorization"] == f"Basic {basic.replace('=', '=')}"
            if asked is None or asked["code_challenge"] != challenge or not from_client:
                return JSONResponse({"error": "invalid_grant"}, 400)
            answer = {"access_token": "x", "token_type": "Bearer", "id_token": self.id_token(asked["nonce"])}
            return JSONResponse(answer)

        return app


@contextmanager
def elsewhere() -> Iterator[Elsewhere]:
    """A provider that answers until the block ends."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
    told = Elsewhere(f"http://127.0.0.1:{port}")
    server = uvicorn.Server(uvicorn.Config(told.app(), port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            httpx.get(f"{told.issuer}/.well-known/openid-configuration", timeout=2)
            break
        except httpx.TransportError:
            time.sleep(0.05)
    yield told
    server.should_exit = True
    thread.join(10)
