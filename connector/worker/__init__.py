"""The worker loop: take facts, advance states, commit them as one round, start effects."""
