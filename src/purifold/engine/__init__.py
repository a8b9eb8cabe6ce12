"""Steps by content hash: what they are, where their artefacts are kept, and who runs them."""
