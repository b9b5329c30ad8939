"""What operators may ask and do, served to the command line through a Unix socket.

:mod:`.verbs` declares it. ``AdminServer`` (:mod:`.server`) serves what answers the verbs
(:mod:`.handlers`): ``OperatorService`` (:mod:`.service`), which works on the journal, with a
``Planner`` (:mod:`.planner`) for dry runs. ``AdminClient`` (:mod:`.client`) is the other end.
"""
