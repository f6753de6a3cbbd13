"""People who log in elsewhere: the OpenID Connect code flow (with PKCE) against one configured provider.

The provider says who somebody is, and by two claims which role and which offices he has here; whoever it gives no role
cannot come in. What it says is checked by its published keys: signature, issuer, audience, end, and the nonce of this
very log-in.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import Any

import httpx
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import OAuth2Client
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry, decode

from features.words import OF_PEOPLE
from service.access.kept import NAME, Denied
from service.settings import Settings

ALGORITHMS = ("RS256", "ES256", "PS256", "EdDSA")  # none that a shared secret or nothing at all would sign
SECONDS = 10
LEEWAY = 60  # seconds that two clocks may differ by


@dataclass(frozen=True, slots=True)
class Begun:
    """A log-in under way: where to send the browser, and what it must bring back in its cookie."""

    place: str
    cookie: str


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody whom the provider vouches for."""

    name: str
    role: str
    offices: tuple[str, ...]
    purpose: str


class Provider:
    """The configured provider; what it publishes is asked for once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._published: dict[str, Any] = {}

    @property
    def configured(self) -> bool:
        return bool(self._settings.oidc_issuer)

    def begin(self, back: str, purpose: str) -> Begun:
        """Send somebody there; raises Denied where it does not answer."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        verifier = (verifier + secrets.token_urlsafe(16))[:64]
        with self._client(back) as client:
            where = self._discovered()["authorization_endpoint"]
            place, _ = client.create_authorization_url(where, state=state, code_verifier=verifier, nonce=nonce)
        return Begun(place, json.dumps([state, nonce, verifier, purpose]))

    def end(self, back: str, cookie: str, given: dict[str, str]) -> Known:
        """Who came back; raises Denied for whatever was not begun here or cannot be believed."""
        try:
            state, nonce, verifier, purpose = json.loads(cookie)
        except ValueError:
            raise Denied("the log-in was not begun here, or took too long; begin again") from None
        if not secrets.compare_digest(given.get("state", ""), state) or "code" not in given:
            raise Denied("the provider did not let you in")
        try:
            with self._client(back) as client:
                token = client.fetch_token(
                    self._discovered()["token_endpoint"], code=given["code"], code_verifier=verifier
                )
            claims = self._claims(str(token.get("id_token", "")), nonce)
        except (httpx.HTTPError, AuthlibBaseError, JoseError, KeyError, ValueError) as fault:
            raise Denied("what the provider said could not be verified") from fault
        return self._known(claims, purpose)

    def _known(self, claims: dict[str, Any], purpose: str) -> Known:
        name = str(claims.get("preferred_username") or claims["sub"])
        role, offices = claims.get(self._settings.oidc_role_claim), claims.get(self._settings.oidc_offices_claim)
        if not NAME.fullmatch(name):
            raise Denied("the provider gives you a name that cannot be used here")
        if role not in OF_PEOPLE or not isinstance(offices, list) or not offices:
            raise Denied("the provider gives you no role or no office here; ask who administers it")
        return Known(name, str(role), tuple(str(office) for office in offices), purpose)

    def _claims(self, id_token: str, nonce: str) -> dict[str, Any]:
        keys = KeySet.import_key_set(self._get(self._discovered()["jwks_uri"]))
        claims = decode(id_token, keys, algorithms=ALGORITHMS).claims
        JWTClaimsRegistry(
            leeway=LEEWAY, iss={"essential": True, "value": self._settings.oidc_issuer},
            aud={"essential": True, "value": self._settings.oidc_client_id},
            nonce={"essential": True, "value": nonce}, exp={"essential": True}, sub={"essential": True},
        ).validate(claims)  # fmt: skip
        return dict(claims)

    def _discovered(self) -> dict[str, Any]:
        if not self._published:
            issuer = self._settings.oidc_issuer
            told = self._get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
            if told.get("issuer") != issuer:
                raise Denied("the provider names another issuer than the one that was set")
            self._published = told
        return self._published

    def _get(self, place: str) -> Any:
        try:
            answer = httpx.get(place, timeout=SECONDS)
            answer.raise_for_status()
            return answer.json()
        except (httpx.HTTPError, ValueError) as fault:
            raise Denied("the provider does not answer") from fault

    def _client(self, back: str) -> OAuth2Client:
        path = self._settings.oidc_client_secret
        secret = path.read_text(encoding="utf-8").strip() if path else None
        return OAuth2Client(
            self._settings.oidc_client_id, secret, scope="openid profile", redirect_uri=back,
            code_challenge_method="S256", timeout=SECONDS,
            token_endpoint_auth_method="client_secret_basic" if secret else "none",
        )  # fmt: skip
