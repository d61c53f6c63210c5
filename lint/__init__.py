"""Fences around the code's structure; beside each its list of today's violations, which only shrinks."""
