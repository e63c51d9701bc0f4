"""A client that does as it is told: a command a line on standard input, its outcome a line on standard output.

Usage: python driver.py v1|v2 legacy|auto
"""

import contextlib
import json
import sys
import time

import anyio
import mcp

VERSION, MODE = sys.argv[1:]

if VERSION == "v1":
    from datetime import timedelta

    from mcp import ClientSession
    from mcp.client.auth import OAuthClientProvider, TokenStorage
    from mcp.client.streamable_http import streamable_http_client
    from mcp.shared._httpx_utils import create_mcp_http_client
    from mcp.shared.auth import OAuthClientMetadata
    from mcp.shared.exceptions import McpError as Refused
else:
    from mcp.client.auth import OAuthClientProvider, TokenStorage
    from mcp.client.client import Client
    from mcp.client.streamable_http import streamable_http_client
    from mcp.shared._httpx_utils import create_mcp_http_client
    from mcp.shared.auth import OAuthClientMetadata
    from mcp.shared.exceptions import MCPError as Refused


class NoTokens(TokenStorage):
    """Where no token ever is: a 401 starts OAuth."""

    async def get_tokens(self):
        return None

    async def set_tokens(self, tokens):
        pass

    async def get_client_info(self):
        return None

    async def set_client_info(self, client_info):
        pass


def provider(url):
    async def redirect(_):
        pass

    async def callback():
        raise RuntimeError("nobody logs in here")

    metadata = OAuthClientMetadata(redirect_uris=["http://127.0.0.1:1/callback"], client_name="clients")
    return OAuthClientProvider(url, metadata, NoTokens(), redirect, callback)


class V1:
    """A session of the SDK's first major version."""

    @contextlib.asynccontextmanager
    async def connected(self, url, http):
        async with streamable_http_client(url, http_client=http) as (read, write, _):
            async with ClientSession(read, write) as self.session:
                await self.session.initialize()
                yield

    async def list(self):
        return (await self.session.list_tools()).tools

    async def call(self, tool, args, seconds):
        return await self.session.call_tool(tool, args, read_timeout_seconds=timedelta(seconds=seconds))


class V2:
    """A session of its second."""

    @contextlib.asynccontextmanager
    async def connected(self, url, http):
        transport = streamable_http_client(url, http_client=http)
        async with Client(transport, mode=MODE, cache=None) as self.client:
            yield

    async def list(self):
        return (await self.client.list_tools()).tools

    async def call(self, tool, args, seconds):
        return await self.client.call_tool(tool, args, read_timeout_seconds=seconds)


sessions, ends, group = {}, {}, None


async def keep(name, url, key, ready):
    """Holds a session until it is closed: what enters its contexts has to leave them."""
    session = V1() if VERSION == "v1" else V2()
    headers = {"Authorization": f"Bearer {key}"} if key else None
    failed = None
    try:
        async with create_mcp_http_client(headers=headers, auth=None if key else provider(url)) as http:
            async with session.connected(url, http):
                sessions[name], ends[name] = session, anyio.Event()
                ready.set()
                await ends[name].wait()
    except BaseException as error:
        failed = error
        sessions.setdefault(name, error)
        ready.set()
        if not isinstance(error, Exception):
            raise
    finally:
        if failed is not None:
            print(f"session {name} ended: {failed!r}", file=sys.stderr, flush=True)


async def open_(session, url, key=None, **_):
    ready = anyio.Event()
    group.start_soon(keep, session, url, key, ready)
    await ready.wait()
    if isinstance(sessions[session], BaseException):
        raise sessions[session]
    return {}


async def call(session, tool, args=None, timeout=8000, **_):
    with anyio.fail_after(timeout / 1000 + 1):
        result = await sessions[session].call(tool, args or {}, timeout / 1000)
    return {"text": getattr(result.content[0], "text", "") if result.content else ""}


async def list_(session, **_):
    with anyio.fail_after(8):
        return {"tools": len(await sessions[session].list())}


async def close(session, **_):
    if session in ends:
        ends[session].set()
    return {}


operations = {"open": open_, "call": call, "list": list_, "close": close}


def reason(error):
    """What a caller can tell of an error. Of a group it is the first that is none."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, Refused):
        e = error.error
        return {"code": e.code, "message": e.message, "data": e.data}
    return {"code": 0, "message": f"{type(error).__name__}: {error}"}


async def run(command):
    began, reply = time.monotonic(), {"id": command.pop("id")}
    try:
        reply |= await operations[command.pop("op")](**command)
    except Exception as error:
        reply["error"] = reason(error)
    reply["ms"] = (time.monotonic() - began) * 1000
    print(json.dumps(reply), flush=True)


async def main():
    global group
    async with anyio.create_task_group() as group:
        print(json.dumps({"id": 0}), flush=True)
        while line := await anyio.to_thread.run_sync(sys.stdin.readline, abandon_on_cancel=True):
            group.start_soon(run, json.loads(line))
        group.cancel_scope.cancel()


anyio.run(main)
