"""The hand-over: the only code in which key bytes live, and what starts and judges its processes.

``parent`` and ``server`` run in the service, ``forkserver`` in a process of its own that holds
nothing but loaded modules, ``child``, ``lockdown`` and ``steps`` in one short-lived process for
each hand-over. ``wire`` is what passes between them, ``verdict`` what the service makes of it.
"""
