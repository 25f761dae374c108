"""The four ways to probe a container, with Kubernetes' verdicts and texts.

One call is one attempt (pkg/probe); repeating an attempt that ended in an error, counting and
acting are the kubelet's business. Each ``probe`` gives an :class:`Outcome` at once, or, if the
answer needs simulated time that nobody can foresee, an event whose value is the Outcome.
"""

from selfheal.probes.result import Outcome, Result

__all__ = ["Outcome", "Result"]
