"""An expression that is only checked, and what is found."""

from __future__ import annotations

from server.problems import ProblemPart
from server.schemas.answers import Answer
from server.schemas.body import Body
from server.schemas.expression import ExpressionProgram


class ExpressionCheckRequest(Body):
    """Check an expression as it is typed."""

    program: ExpressionProgram


class ExpressionCheck(Answer):
    """What is wrong with an expression, and where. `shape`: of what it computes, before it is summed; null where it cannot be."""

    errors: list[ProblemPart]
    shape: list[int] | None
