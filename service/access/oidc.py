"""Log-in by an identity provider: the OpenID Connect code flow (with PKCE) against one configured provider.

The provider states the identity of a user, and by two claims the role and the offices; without a role, access is
denied. Its tokens are verified by its published keys: signature, issuer, audience, expiry, and the nonce of this very
log-in.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from service.access.credentials import Denied, same_text
from service.access.provider_claims import name_of, offices_of, role_of
from service.settings import Settings

if TYPE_CHECKING:
    from authlib.integrations.httpx_client import OAuth2Client

# the libraries of log-ins are loaded by the first one: a worker whose people log in by password does without 10 MB
ALGORITHMS = ("RS256", "ES256", "PS256", "EdDSA")  # none that is symmetric or unsigned
SECONDS = 10
START_AGAIN = "the log-in was not started here, or took too long; start again"
LEEWAY = 60  # seconds that two clocks may differ by


@dataclass(frozen=True, slots=True)
class Begun:
    """A log-in under way: the address to redirect to, and the cookie that must come back."""

    place: str
    cookie: str


@dataclass(frozen=True, slots=True)
class Known:
    """A user whom the provider has authenticated."""

    name: str
    role: str
    offices: tuple[str, ...]
    purpose: str


class NotBegunHere(Denied):
    """What came back is not of a log-in that this browser began here: a forged request, or one too late."""


class Provider:
    """The configured provider; its metadata is read once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._published: dict[str, Any] = {}

    @property
    def configured(self) -> bool:
        return bool(self._settings.oidc_issuer)

    def begin(self, redirect_uri: str, purpose: str) -> Begun:
        """Start a log-in at the provider; raises Denied where it does not answer."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        verifier = (verifier + secrets.token_urlsafe(16))[:64]
        with self._client(redirect_uri) as client:
            where = self._discovered()["authorization_endpoint"]
            place, _ = client.create_authorization_url(where, state=state, code_verifier=verifier, nonce=nonce)
        return Begun(place, json.dumps([state, nonce, verifier, purpose]))

    def end(self, redirect_uri: str, cookie: str, given: dict[str, str]) -> Known:
        """Finish a log-in and return the user; raises Denied where it was not started here or cannot be verified."""
        from authlib.common.errors import AuthlibBaseError
        from joserfc.errors import JoseError

        state, nonce, verifier, purpose = _begun(cookie)
        if not same_text(given.get("state", ""), state):
            raise NotBegunHere(START_AGAIN)
        if "code" not in given:
            raise Denied("the provider did not let you in")
        try:
            with self._client(redirect_uri) as client:
                token = client.fetch_token(
                    self._discovered()["token_endpoint"], code=given["code"], code_verifier=verifier
                )
            claims = self._claims(str(token.get("id_token", "")), nonce)
        except (httpx.HTTPError, AuthlibBaseError, JoseError, KeyError, ValueError) as fault:
            raise Denied("what the provider said could not be verified") from fault
        return self._known(claims, purpose)

    def _known(self, claims: dict[str, Any], purpose: str) -> Known:
        role = role_of(claims, self._settings.oidc_role_claim)
        return Known(name_of(claims), role, offices_of(claims, self._settings.oidc_offices_claim), purpose)

    def _claims(self, id_token: str, nonce: str) -> dict[str, Any]:
        from joserfc.jwk import KeySet
        from joserfc.jwt import JWTClaimsRegistry, decode

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
            metadata = self._get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
            if metadata.get("issuer") != issuer:
                raise Denied("the provider names another issuer than the one that was set")
            self._published = metadata
        return self._published

    def _get(self, place: str) -> Any:
        try:
            answer = httpx.get(place, timeout=SECONDS)
            answer.raise_for_status()
            return answer.json()
        except (httpx.HTTPError, ValueError) as fault:
            raise Denied("the provider does not answer") from fault

    def _client(self, redirect_uri: str) -> OAuth2Client:
        from authlib.integrations.httpx_client import OAuth2Client

        path = self._settings.oidc_client_secret
        secret = path.read_text(encoding="utf-8").strip() if path else None
        return OAuth2Client(
            self._settings.oidc_client_id, secret, scope="openid profile", redirect_uri=redirect_uri,
            code_challenge_method="S256", timeout=SECONDS,
            token_endpoint_auth_method="client_secret_basic" if secret else "none",
        )  # fmt: skip


def _begun(cookie: str) -> tuple[str, str, str, str]:
    """Return state, nonce, verifier and purpose as `begin` wrote them; raises NotBegunHere for anything else."""
    try:
        begun = json.loads(cookie)
    except (ValueError, RecursionError):
        raise NotBegunHere(START_AGAIN) from None
    if not isinstance(begun, list) or len(begun) != 4 or not all(isinstance(part, str) and part for part in begun):
        raise NotBegunHere(START_AGAIN)
    state, nonce, verifier, purpose = begun
    return state, nonce, verifier, purpose
