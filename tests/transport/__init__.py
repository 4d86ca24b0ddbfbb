"""Tests of the transport: executor, limits, HTTP, websocket, server."""
