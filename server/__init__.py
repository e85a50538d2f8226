"""Retrograd's service: programs in, traces and runs out, over HTTP."""
