"""Attacks: what every one is (`base`), one attack a file, and models made attackable (`adaptive`)."""
