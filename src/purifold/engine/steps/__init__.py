"""The steps of a study: train, craft, judge, audit. Each leaves one artefact in the store."""
