"""What a run is judged by: tables, figures and the report page."""
