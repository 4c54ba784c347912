"""A board that nobody has named a device type for: what its bytes look like, what its keys mean."""

from gateway.learn.look import MOST_SAMPLE, Guess, Look, look

__all__ = ["MOST_SAMPLE", "Guess", "Look", "look"]
