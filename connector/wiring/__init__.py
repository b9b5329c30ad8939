"""From settings to the parts of a running service: one file per part, used by ``connector.app``."""
