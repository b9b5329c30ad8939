"""The command line: noun and verb, tables for people, JSON and CSV for machines.

It holds no logic of its own: ``serve`` and the like start other parts, everything else asks the
running service through the operators' socket. :mod:`.exits` lists the exit codes.
"""
