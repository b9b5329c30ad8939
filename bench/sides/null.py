"""A plain aiohttp application that reads what comes and stores nothing.

Arguments: certificate, key; none for plain HTTP.
"""

import ssl
import sys

import uvloop
from aiohttp import web

from bench.worker_protocol import Answer, obey, say


async def handle(request: web.Request) -> web.Response:
    """Read the body, answer 200."""
    await request.read()
    return web.Response()


async def main(tls: ssl.SSLContext | None) -> None:
    """Listen, say where, and go on until the pipe is closed."""
    application = web.Application()
    application.router.add_post("/hooks/workspace-one/{tenant}", handle)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    say({"port": runner.addresses[0][1]})
    await obey(_nothing)
    await runner.cleanup()


async def _nothing(_: object) -> Answer:
    return {}


def context(certificate: str, key: str) -> ssl.SSLContext:
    """TLS as the service speaks it."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.set_alpn_protocols(["http/1.1"])
    made.load_cert_chain(certificate, key)
    return made


if __name__ == "__main__":
    uvloop.run(main(context(*sys.argv[1:3]) if len(sys.argv) > 1 else None))
