"""The HTTP client that every adapter towards a CA or a UEM shares.

Use::

    upstream = Upstream("corp", settings, CA, permits)  # CA or UEM: which codes its faults carry
    async with upstream:
        answer = await upstream.look(("v1", "persons", person, "generations"))
        members = answer.json()

``look`` is for idempotent reads and repeats them a little; ``request`` is for one try of anything;
``exchange`` gives the response before its body is read. :func:`upload` is for a user's set: it says
whether the set may have left, and what became of it. Each request waits for its permit first.
Where the upstream asks to wait (429, 503 with ``Retry-After``), a look or request is sent again
after the wait. Redirects, cookies and the environment's proxies are off, TLS is always
verified, bodies are read up to ``settings.response_limit``. They raise nothing but the
families of :mod:`connector.core.errors`.
"""

from connector.upstream.answer import Answer
from connector.upstream.client import Upstream
from connector.upstream.faults import CA, UEM, Codes, Kind, fault
from connector.upstream.limit import RequestLimit
from connector.upstream.uploads import upload

__all__ = ["CA", "UEM", "Answer", "Codes", "Kind", "RequestLimit", "Upstream", "fault", "upload"]
