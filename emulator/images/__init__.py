"""Which environment an image URI means, and how it is built."""
