"""The words that both halves share, in reading order: resource, position, event, checkpoint. No I/O, no clock."""
