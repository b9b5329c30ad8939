"""The measured sides: processes of their own that take orders (:mod:`bench.worker_protocol`)."""
