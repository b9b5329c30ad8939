"""The HTTP client that every adapter towards a CA or a UEM shares.

Use::

    upstream = Upstream("corp", settings, CA)      # CA or UEM: which codes its faults carry
    async with upstream:
        answer = await upstream.look(("v1", "persons", person, "generations"))
        members = answer.json()

``look`` is for idempotent reads and repeats them a little; ``request`` is for one try of anything;
``exchange`` gives the response before its body is read. Redirects, cookies and the environment's
proxies are off, TLS is always verified, bodies are read up to ``settings.response_limit``. All
three raise nothing but the families of :mod:`connector.core.errors`.
"""

from connector.upstream.answer import Answer
from connector.upstream.client import Upstream
from connector.upstream.faults import CA, UEM, Codes, Kind, fault

__all__ = ["CA", "UEM", "Answer", "Codes", "Kind", "Upstream", "fault"]
