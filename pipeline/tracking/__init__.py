"""Runs in MLflow: stage -> run -> writer process -> store, or a journal that `send` replays."""
