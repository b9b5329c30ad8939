"""The listener for webhooks: limit, authenticate, parse, normalise, append, answer.

It calls no other service. A 2xx is sent only after the journal has stored the event durably.
"""
