"""Adapters towards certificate authorities and key-recovery authorities, one file per protocol."""
