"""The patient as a real program: ``python -m selfheal.patient``, and the image ``selfheal/patient`` of the labs.

What it is stands in :mod:`selfheal.programs.health`, which a simulated container runs too.
A process that is asked for nothing listens on loopback alone; its image says ``--host 0.0.0.0``.
A gRPC port needs the extra ``selfheal[probe]``.
"""
