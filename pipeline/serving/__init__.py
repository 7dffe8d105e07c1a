"""A packed model as a service: MLflow's own server, and a guard before it."""
