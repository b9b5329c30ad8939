"""What operators may ask and do, served to the command line through a Unix socket.

``AdminServer`` (:mod:`.server`) serves an ``AdminService`` (:mod:`.port`); ``OperatorService``
(:mod:`.service`) is the one that works on the journal, with a ``Planner`` (:mod:`.planner`) for dry
runs. ``AdminClient`` (:mod:`.client`) is the other end.
"""
