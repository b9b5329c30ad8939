"""Benchmarks: ratios between two sides that are measured in turns. ``python -m bench [ID…]``."""
