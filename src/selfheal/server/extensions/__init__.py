"""CustomResourceDefinitions: kinds that somebody adds. staging/src/k8s.io/apiextensions-apiserver.

``definitions`` reads a definition, ``structural`` prunes, defaults and checks by its schema, ``columns`` prints, and
``registry`` holds what is served at a moment.
"""
