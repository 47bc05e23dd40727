"""From findings to what can be done: edits of the recipe and work for people, by gain and cost."""
