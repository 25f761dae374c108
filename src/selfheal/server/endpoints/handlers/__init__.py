"""The verbs: staging/src/k8s.io/apiserver/pkg/endpoints/handlers."""
