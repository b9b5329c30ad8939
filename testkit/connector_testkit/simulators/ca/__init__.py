"""A simulated certificate authority with key escrow, for trying out and for tests.

Never for keys that matter. It serves ``schemas/escrow-http.openapi.yaml`` over mutual TLS, issues,
renews, revokes and escrows real certificates in memory, sends signed notifications, and misbehaves
on command.
"""

from connector_testkit.simulators.ca.options import CaOptions, KeyAlgorithm, WebhookOptions
from connector_testkit.simulators.ca.simulator import CaSimulator, run

__all__ = ["CaOptions", "CaSimulator", "KeyAlgorithm", "WebhookOptions", "run"]
