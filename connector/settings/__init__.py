"""The only reader of environment and YAML; frozen, checked, masked.

``Settings`` (:mod:`.model`) is made by ``load`` (:mod:`.load`), which raises ``SettingsRefused``
(:mod:`.report`) with every fault at once. Its parts: ``Service``, ``Audit``,
``Handover``, ``Worker`` (:mod:`.service`), ``Journal`` (:mod:`connector.journal.settings`),
``UemSettings`` and ``CaSettings`` (:mod:`.upstreams`),
``RouteSettings`` (:mod:`.routes`, with ``policy`` → ``RoutePolicy``). :mod:`connector.mounted`
reads one mounted file, ``SecretFiles`` (:mod:`.reload`) follows them all.
"""
