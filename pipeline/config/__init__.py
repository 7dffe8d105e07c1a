"""YAML files and the command line in; typed, checked options out."""
