"""AWS's wire: requests routed, parsed and validated, answers serialised, all from botocore's service models."""

from emulator.gateway.gateway import create_gateway

__all__ = ["create_gateway"]
