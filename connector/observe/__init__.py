"""How the service is seen from outside: metrics, logs with redaction, health."""
