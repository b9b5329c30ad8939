"""The hand-over: the only code in which key bytes live, and what starts and judges its processes.

``parent`` and ``server`` run in the service. ``forkserver`` runs in a process of its own, with
nothing but loaded modules; ``__main__`` hardens it before it loads them. ``child``, ``lockdown``
and ``steps`` run in one short-lived process for each hand-over. ``wire`` is what passes between
them, ``verdict`` what the service makes of it.
"""
