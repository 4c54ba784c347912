"""Where points go. A sink takes a batch and answers accept or keep."""
