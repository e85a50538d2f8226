"""What all bodies of requests have in common."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, ValidationError, model_validator

from server import limits


class Body(BaseModel):
    """A request's body. Of one in which very much is wrong only how much is said: to list it would take long and help nobody."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="wrap")
    @classmethod
    def _few_errors(cls, value: Any, handler: ModelWrapValidatorHandler[Any]) -> Any:
        try:
            return handler(value)
        except ValidationError as error:
            count = error.error_count()
            if count <= limits.ERRORS:
                raise
        told = f"{count:,} things in this request are not as expected, of which at most {limits.ERRORS} are listed"
        raise ValueError(f"{told}; see that every member is one that /docs names, and of its kind")
