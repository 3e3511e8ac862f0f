"""Who may ask: programs on this machine that hold the token, and no page of any site."""

from __future__ import annotations

import hmac
from typing import Any

from videoscore.studio.access import NAMES

LARGEST = 1 << 20  # bytes of a request


class Guard:
    """ASGI middleware: refuses what comes under another name than this machine's, from a page, without the token, or
    with too large a body, before anything else sees it."""

    def __init__(self, app: Any, port: int, token: str) -> None:
        self.app, self.token = app, token
        self.hosts = {f"{name}:{port}" for name in NAMES}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        headers = {name.decode("latin1").lower(): value.decode("latin1") for name, value in scope["headers"]}
        refusal = self.refusal(scope, headers)
        if refusal is None:
            await self.app(scope, receive, send)
            return
        status, words = refusal
        body = f'{{"error": "Refused", "message": "{words}", "exit_code": 2}}\n'.encode()
        head = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send(
            {"type": "http.response.start", "status": status, "headers": [*head, (b"connection", b"close")]}
        )
        await send({"type": "http.response.body", "body": body})

    def refusal(self, scope: Any, headers: dict[str, str]) -> tuple[int, str] | None:
        """Status and words for what may not pass; None for what may."""
        if scope["type"] != "http" or headers.get("host", "") not in self.hosts:
            return 421, "This address isn't the server's."
        if "origin" in headers or "sec-fetch-site" in headers:
            return 403, "No page of a browser may ask."
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(token.encode(), self.token.encode()):
            return 401, "Send the header Authorization: Bearer TOKEN."
        length = headers.get("content-length", "0")
        if "transfer-encoding" in headers or not length.isdigit() or int(length) > LARGEST:
            return 413, "That is more than the server takes, or of no length."
        return None
