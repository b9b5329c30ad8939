"""Certificates as authorities really issued them: read tolerantly, judged as of then."""
