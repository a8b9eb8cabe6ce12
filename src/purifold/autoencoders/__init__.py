"""Autoencoders: an encoder and a decoder with the objective that they are trained for."""
