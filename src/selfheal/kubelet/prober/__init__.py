"""The kubelet's prober: workers that ask, a manager that starts them, a cache of what they found.

Mirrors pkg/kubelet/prober: ``worker.py`` beside worker.go, ``manager.py`` beside
prober_manager.go, ``results.py`` beside results/results_manager.go.
"""
