"""Statistics of predictions; no model."""
