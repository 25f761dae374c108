"""What is special about some resources: pkg/registry."""
