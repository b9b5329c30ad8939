"""One folder per vendor: source dialect, target, escrow client, settings, table of errors."""
