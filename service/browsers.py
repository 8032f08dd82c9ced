"""What keeps the web pages of others from calling a service that asks for no token."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from pydantic import SecretStr
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from service.auth import is_open
from service.problems import Problem

ANY_HOST = "*"
_SAFE = ("GET", "HEAD", "OPTIONS")


class BrowserGuard:
    """ASGI middleware that refuses what a browser sends on behalf of a page of another site.

    Without a token, whoever reaches the port may call; that is meant for the people of this
    machine, and every page that they open can make their browser call as well. A form needs
    nobody's leave to be posted to another site, so `Sec-Fetch-Site` is looked at and, in its
    absence, whether `Origin` is the `Host` (the algorithm of Go's `http.CrossOriginProtection`).
    And a name of theirs that resolves to this machine makes their page one of ours, so that the
    name in `Host` has to be known. With a token nothing is looked at, for no page knows it.

    Parameters
    ----------
    app
        The application behind it.
    token
        The service's token.
    hosts
        The names, besides `localhost` and plain addresses, that the service is called by; `*`
        among them allows every name.
    """

    def __init__(self, app: ASGIApp, token: SecretStr | None, hosts: Collection[str] = ()) -> None:
        self.app = app
        self.is_guarded = token is None
        self.hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on unless it is a page's of another site."""
        refusal = None
        if self.is_guarded and not is_open(scope):
            refusal = self._refusal(scope["method"], Headers(scope=scope))
        if refusal is None:
            await self.app(scope, receive, send)
        else:
            await refusal.response()(scope, receive, send)

    def _refusal(self, method: str, headers: Headers) -> Problem | None:
        host = headers.get("host", "")
        if not self._is_known(host):
            return Problem.of_code(
                "foreign-request",
                f"the request is for the host {host[:100]!r}; localhost, an address such as "
                "127.0.0.1, or a name that the service was told is expected.",
                mend="Call it by its address, or let the one who runs it name the host in "
                "TIDELINE_ALLOWED_HOSTS or set TIDELINE_TOKEN.",
                field="Host",
            )
        if method in _SAFE or self._is_own(headers):
            return None
        origin = headers.get("origin", "")
        return Problem.of_code(
            "foreign-request",
            f"the request was sent by a web page of another site, {origin[:100]!r}.",
            mend="Call the service from a program, or let the one who runs it set TIDELINE_TOKEN.",
            field="Origin",
        )

    def _is_own(self, headers: Headers) -> bool:
        """Whether a request comes from no web page, or from one of the service's own."""
        site = headers.get("sec-fetch-site")
        if site is not None:
            return site in ("same-origin", "none")
        origin = headers.get("origin")
        return origin is None or origin.partition("://")[2].lower() == headers["host"].lower()

    def _is_known(self, host: str) -> bool:
        if ANY_HOST in self.hosts:
            return True
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return name == "localhost" or name in self.hosts or _is_address(name)


def _is_address(name: str) -> bool:
    # Nobody can make an address resolve to another machine, as they can a name of their own.
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
