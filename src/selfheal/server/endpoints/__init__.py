"""From a request to what it asks of whom, and back: staging/src/k8s.io/apiserver/pkg/endpoints."""
