"""The pure centre: records, decisions, ports. No clock, no chance, no input or output."""
