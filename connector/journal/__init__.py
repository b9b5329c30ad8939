"""The embedded journal: SQLite, one writer thread with group commit, readers of their own.

``tables`` and ``states`` know nothing of how a commit becomes durable; a clustered journal keeps
its local tables with them.
"""
