"""`make demo`: the main job in a minute, on real servers. `__main__` is the story, `screen` how records look."""
