"""Studies by name: each composes experiments, and keeps what its paper prints beside it."""
