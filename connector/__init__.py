"""PKI Connector: carries a user's own S/MIME keys from escrow to their managed devices."""
