"""Workspace ONE UEM (formerly AirWatch) of Omnissa: event notifications in, REST interface out.

What is known of it and what is only assumed: ``docs/workspace-one.md``.
"""
