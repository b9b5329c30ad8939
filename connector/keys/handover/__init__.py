"""The hand-over: the only code that holds key bytes, and the code that runs its processes.

``parent`` and ``server`` run in the service. ``forkserver`` runs in a process of its own, with
nothing but loaded modules; ``__main__`` hardens it before it loads them. ``child``, ``lockdown``
and ``steps`` run in one short-lived process for each hand-over. ``wire`` has the messages between
them, ``outcome`` what the service concludes from them.
"""
