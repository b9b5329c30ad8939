"""The escrow contract of this project: notices of a CA as a source."""
