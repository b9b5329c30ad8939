"""From one journal into another, with another number of partitions if need be.

``Survey`` (:mod:`.survey`) reads what a journal holds, ``copy`` (:mod:`.copy`) writes it into
another one, and ``contents`` (:mod:`.contents`) names what there is on either side by counts and
digests. Works on the contract of a journal alone. Both journals must be at rest.
"""
