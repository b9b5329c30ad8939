"""What operators may ask and do: each verb with its path, its models, and whether it acts.

:mod:`.table` has them all. Routes (:mod:`connector.operators.routes`) and the calls of the client
(:mod:`connector.operators.client`) are made from it, and each command names the verbs it uses.
"""
