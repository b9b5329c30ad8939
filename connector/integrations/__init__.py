"""One folder per vendor: source dialect, target, escrow client, settings, error table."""
