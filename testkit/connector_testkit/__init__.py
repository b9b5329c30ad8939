"""Simulated upstreams, conformance suites and the demo: a distribution beside the product."""
