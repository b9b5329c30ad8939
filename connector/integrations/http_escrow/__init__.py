"""The escrow contract of this project (``schemas/escrow-http.openapi.yaml``), and its notices."""
