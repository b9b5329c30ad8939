"""The settings with which a connector reaches simulators that run in the calling process."""

from connector_testkit.simulators.ca import CaSimulator
from connector_testkit.simulators.uem import UemOptions, UemSimulator


def escrow_settings(ca: CaSimulator) -> dict[str, str]:
    """Settings of the escrow backend ``http``; the simulator is open."""
    return {
        "address": ca.api_url,
        "ca_file": str(ca.tls.ca),
        "client_certificate_file": str(ca.tls.client_certificate),
        "client_key_file": str(ca.tls.client_key),
    }


def target_settings(uem: UemSimulator, options: UemOptions) -> dict[str, str]:
    """Settings of the target ``workspace_one``, an open simulator with these options."""
    return {
        "address": uem.api_url,
        "ca_file": str(uem.ca_file),
        "username": options.api_user,
        "password_file": str(options.password_file),
        "tenant_code_file": str(options.tenant_code_file),
        "archived_mode": "list-field",
    }
