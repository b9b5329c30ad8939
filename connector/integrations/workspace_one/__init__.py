"""Workspace ONE UEM (formerly AirWatch): event notifications as a source."""
