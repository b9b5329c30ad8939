"""PKI Connector: carries a user's own S/MIME keys from escrow to his managed devices."""
