"""Simulated counterparts that speak the real protocols over real sockets, shipped with the product.

They are for trying the connector out and for tests; each says at its start that it is a simulator.
"""
