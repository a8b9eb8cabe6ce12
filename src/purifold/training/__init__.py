"""Training of classifiers and autoencoders: one loop, its checkpoints, its progress."""
