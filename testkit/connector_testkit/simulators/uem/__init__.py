"""A simulated Workspace ONE UEM with its devices, on real sockets with TLS.

It answers the part of the REST interface that a delivery of S/MIME certificates needs, posts event
notifications, keeps and purges certificate sets on a clock of its own, and has devices that hold
what it pushed and decrypt mail with it. Everything is driven from outside under ``/_sim/`` on a
second, plain HTTP port on the loopback address; see ``docs/simulators.md``.
"""

from connector_testkit.simulators.uem.control import UemControl
from connector_testkit.simulators.uem.options import UemOptions, WebhookTarget
from connector_testkit.simulators.uem.server import UemSimulator, run

__all__ = ["UemControl", "UemOptions", "UemSimulator", "WebhookTarget", "run"]
