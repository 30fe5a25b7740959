"""The services of these tests answer through the gateway, as they do for clients."""

from tests.emulator.gateway.conftest import make_app, register, serve, wire

__all__ = ["make_app", "register", "serve", "wire"]
