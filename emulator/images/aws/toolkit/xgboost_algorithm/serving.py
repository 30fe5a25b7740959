"""``serve`` in algorithm mode: predictions of the trained booster for CSV, LIBSVM and RecordIO-protobuf."""

from __future__ import annotations

import json

import numpy as np
import xgboost as xgb

from .. import encoders
from ..container import Container, variable
from ..errors import BadRequest, UserError
from ..handlers import Answer, Predictor
from . import libsvm, recordio
from .data import parse_csv
from .model import load

CONTENT_TYPES = ("text/csv", "text/libsvm", "text/x-libsvm", "application/x-recordio-protobuf")


def predictor(container: Container) -> Predictor:
    """Load the model, once; what it answers.

    Raises:
        UserError: it cannot be loaded.
    """
    boosters = load(container.model)

    def run(body: bytes, kind: str, accept: str) -> Answer:
        matrix = decode(body, kind or "text/csv")
        width = max(booster.num_features() for booster in boosters)
        if matrix.num_col() > width:
            raise BadRequest(400, f"the rows have {matrix.num_col()} features, the model was trained with {width}")
        try:
            predictions = np.mean([booster.predict(matrix, validate_features=False) for booster in boosters], axis=0)
        except xgb.core.XGBoostError as error:
            raise BadRequest(400, f"Unable to evaluate payload provided: {str(error).splitlines()[-1]}") from error
        return respond(predictions, accept)

    return run


def decode(body: bytes, content_type: str) -> xgb.DMatrix:
    """
    Raises:
        BadRequest: the type is not known, or the body is not of it.
    """
    kind = encoders.media_type(content_type)
    if kind not in CONTENT_TYPES:
        raise BadRequest(
            415, f"Content-type {kind} not supported. Supported content-type is {', '.join(CONTENT_TYPES)}"
        )
    if not body.strip():
        raise BadRequest(204, "")
    try:
        if kind == "text/csv":
            return xgb.DMatrix(parse_csv(body.strip(), "payload"))
        if kind == "application/x-recordio-protobuf":
            return xgb.DMatrix(recordio.parse(body, "payload")[0])
        return xgb.DMatrix(libsvm.parse(body, "payload")[0])
    except UserError as error:
        raise BadRequest(
            415, f"Loading {kind} data failed with Exception, please ensure data is in {kind} format:\n{error}"
        ) from error


def respond(predictions: np.ndarray, accept: str) -> Answer:
    """CSV, one line of predictions as AWS's image writes it; JSON where it is asked for."""
    wanted = [encoders.media_type(part) for part in (accept or "").split(",")]
    if wanted in ([""], ["*/*"]):
        wanted = [variable("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", encoders.CSV)]
    rows = predictions.tolist()
    if encoders.JSON in wanted:
        return Answer(json.dumps({"predictions": [{"score": row} for row in rows]}).encode(), encoders.JSON)
    if encoders.JSON_LINES in wanted:
        return Answer("".join(json.dumps({"score": row}) + "\n" for row in rows).encode(), encoders.JSON_LINES)
    if not {encoders.CSV, "text/*", "*/*"} & set(wanted):
        raise BadRequest(
            406, f"Accept type {accept} is not supported; text/csv, application/json, application/jsonlines are"
        )
    text = "\n".join(",".join(map(str, row)) if isinstance(row, list) else str(row) for row in rows)
    return Answer(f"{text}\n".encode(), encoders.CSV)
