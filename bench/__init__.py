"""Benchmarks: each runs the real parts side by side in one run, so that ratios mean something."""
