"""What a defense is worth: surfaces, outcomes, the judge, sanity checks, curves and records."""
