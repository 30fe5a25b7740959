"""The wire: an HTTP request becomes an operation's parameters, its result becomes the HTTP response."""
