"""The measured sides: each is a process of its own that obeys orders (see :mod:`bench.obey`)."""
