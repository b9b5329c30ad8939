"""The only reader of environment, YAML and mounted secrets; frozen, checked, masked.

``Settings`` (:mod:`.model`) is made by ``load`` (:mod:`.load`), which raises ``SettingsRefused``
(:mod:`.report`) with every fault at once. Its parts: ``Service``, ``Journal``, ``Audit``,
``Handover``, ``Worker`` (:mod:`.service`), ``UemSettings`` and ``CaSettings`` (:mod:`.upstreams`),
``RouteSettings`` (:mod:`.routes`, with ``policy`` → ``RoutePolicy``). ``read_secret``
(:mod:`.secrets`) reads one mounted secret, ``SecretFiles`` (:mod:`.reload`) follows them all.
"""
