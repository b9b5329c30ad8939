"""The pure core: records, decisions, ports. No clock, no randomness, no input or output."""
