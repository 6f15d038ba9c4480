"""Audio that comes in pieces inside of something else: what the events and messages of speech services mean,
and how one answer is put together from them."""
