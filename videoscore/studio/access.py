"""Who may ask: this machine's browser with the studio's own address, and no page of another site.

The address on the terminal holds a random token, which becomes a cookie. Whatever comes without it, under another
name than this machine's (DNS rebinding), or from another origin, is refused before anything else sees it: pages, files
and the web socket alike.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
App = Callable[
    [Scope, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]

NAMES = ("127.0.0.1", "localhost")
# NiceGUI's page needs its inline script and Vue's compiler; nothing may come from anywhere else
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self' data:; connect-src 'self' {sockets}; "
    "frame-ancestors 'none'; base-uri 'self'; form-action 'self'; object-src 'none'"
)
LARGEST = 1 << 20  # bytes of a request that isn't an upload


class Guard:
    """ASGI middleware. port : the studio's. uploads : the one path whose body may be large."""

    def __init__(self, app: App, port: int, token: str, uploads: str = "/upload") -> None:
        self.app, self.token, self.uploads = app, token, uploads
        self.cookie = f"videoscore_studio_{port}"  # cookies of one host are common to its ports
        self.hosts = {f"{name}:{port}" for name in NAMES}
        self.origins = {f"http://{host}" for host in self.hosts}
        sockets = " ".join(sorted(f"ws://{host}" for host in self.hosts))
        self.headers = [
            (b"content-security-policy", POLICY.format(sockets=sockets).encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
            (b"cross-origin-resource-policy", b"same-origin"),
            (b"x-frame-options", b"DENY"),
        ]

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = {name.decode("latin1").lower(): value.decode("latin1") for name, value in scope["headers"]}
        reason = self.refusal(scope, headers)
        if reason:
            await _refuse(scope, receive, send, *reason)
        elif "token" in self._query_fields(scope) and scope["type"] == "http":
            await self._welcome(scope, send)
        else:
            await self.app(scope, receive, self._seal(send))

    def refusal(self, scope: Scope, headers: dict[str, str]) -> tuple[int, str] | None:
        """Status and words for what may not pass; None for what may."""
        if headers.get("host", "") not in self.hosts:
            return 421, "This address isn't the studio's. Use the one that `videoscore studio` printed."
        origin = headers.get("origin")
        if origin is not None and origin not in self.origins:
            return 403, "Another site's page may not drive the studio."
        if (
            headers.get("sec-fetch-site") in ("cross-site", "same-site")
            and headers.get("sec-fetch-mode") != "navigate"
        ):
            return 403, "Another site's page may not drive the studio."
        if not (
            self._has_cookie(headers.get("cookie", ""))
            or self._same(self._query_fields(scope).get("token", [""])[0])
        ):
            return 403, "Open the whole address that `videoscore studio` printed: it holds the key."
        if scope["type"] == "http" and scope["path"] != self.uploads:
            length = headers.get("content-length", "0")
            if not length.isdigit() or int(length) > LARGEST:
                return 413, "That is more than the studio takes."
        return None

    def _query_fields(self, scope: Scope) -> dict[str, list[str]]:
        return parse_qs(scope.get("query_string", b"").decode("latin1"))

    def _has_cookie(self, header: str) -> bool:
        try:
            morsel = SimpleCookie(header).get(self.cookie)
        except CookieError:
            return False
        return morsel is not None and self._same(morsel.value)

    def _same(self, token: str) -> bool:
        return hmac.compare_digest(token.encode(), self.token.encode())

    async def _welcome(self, scope: Scope, send: Any) -> None:
        """The token becomes a cookie, and leaves the address."""
        cookie = f"{self.cookie}={self.token}; Path=/; HttpOnly; SameSite=Strict"
        # "//elsewhere" as a path would lead to another site
        place = b"/" + scope["path"].lstrip("/").encode()
        headers = [(b"location", place), (b"set-cookie", cookie.encode()), *self.headers]
        await send({"type": "http.response.start", "status": 303, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    def _seal(self, send: Any) -> Any:
        async def sealed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *self.headers]
            await send(message)

        return sealed


def new_token() -> str:
    return secrets.token_urlsafe(24)


async def _refuse(scope: Scope, receive: Any, send: Any, status: int, words: str) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        return
    body = words.encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
