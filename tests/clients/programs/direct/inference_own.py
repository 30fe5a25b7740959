"""A model that needs a package of its own and no file at all."""

import tabulate


def model_fn(model_dir):
    return tabulate.__version__


def transform_fn(model, body, content_type, accept):
    return f"{model}:{len(body.strip().splitlines())}", "text/plain"
