"""Pulse oximeters of the BCI family: five bytes a sample, one module a make."""
