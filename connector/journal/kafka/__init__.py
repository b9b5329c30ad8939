"""The clustered journal: several processes, one Kafka cluster, no other server."""
