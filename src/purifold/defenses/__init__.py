"""Defenses: purifiers, detectors and the recipes that make them by name; one defense a file."""
