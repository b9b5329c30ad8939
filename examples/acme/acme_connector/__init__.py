"""Acme for the PKI Connector: a source, a target and an escrow backend."""
