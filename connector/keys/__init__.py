"""All code that may hold key bytes: the process of one hand-over, and PKCS#12."""
