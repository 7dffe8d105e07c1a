"""The review of a run: measures, tables of rows, figures and the report page."""
