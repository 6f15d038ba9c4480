"""Audio: whether an answer is any, how it lies in the file, and how it would have played."""
