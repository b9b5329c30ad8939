"""The listener for webhooks: limit, authenticate, parse, normalise, append, answer.

It asks nobody and thinks about nothing else. A 2xx leaves only after the journal has made the
event durable.
"""
