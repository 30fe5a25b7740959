"""One module per AWS resource family; each operation is one function ``(request, context) -> response``."""
