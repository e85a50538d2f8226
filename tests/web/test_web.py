"""The web app's own tests (vitest), run as one."""

from __future__ import annotations

import hatch_build


def test_the_web_apps_own_tests_pass() -> None:
    hatch_build.script("test")  # raises WebBuildError when one fails; what failed stands in the captured output


def test_what_is_served_is_built_from_the_sources_that_are_here() -> None:
    assert hatch_build.STAMP.read_text() == hatch_build.sources_hash()
