"""Real probes: what a kubelet of Kubernetes 1.36 would find out about a process of this machine or another.

They send real bytes, wait real time and start real commands; what an answer means, and in which words, is what
:mod:`selfheal.probes` says, for simulated clusters too. :mod:`~selfheal.probers.command` is ``selfheal probe``.
"""
