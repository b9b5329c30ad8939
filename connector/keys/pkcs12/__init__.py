"""PKCS#12 (RFC 7292): pre-flight checks of foreign bundles, opening them once, writing our own."""
