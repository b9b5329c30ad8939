"""Adapters towards device management services, one plug-in per product."""
