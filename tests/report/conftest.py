"""The page of the tests, rendered once."""

import pytest

from tests.report.page_content import content
from tsdsae_keras.report.page import render_page


@pytest.fixture(scope="package")
def html():
    return render_page(content())
