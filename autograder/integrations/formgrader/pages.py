"""nbgrader's pages as an extension of our server: texts are made harmless as they are shown."""

from __future__ import annotations

from typing import Any

from jinja2 import pass_context
from jupyter_server.base.handlers import JupyterHandler
from nbconvert.exporters import HTMLExporter
from nbgrader.server_extensions.formgrader.formgrader import FormgradeExtension
from tornado import web

from autograder.integrations.formgrader.harmless import harmless
from autograder.integrations.formgrader.server import HEADERS

START = "/formgrader/gradebook"
CONTAINED = """
<style type="text/css">
.text_cell_render, .input_area { contain: layout paint; isolation: isolate; overflow: auto; }
</style>
<script type="text/x-mathjax-config">
MathJax.Hub.Config({
  showMathMenu: false,
  Safe: {allow: {URLs: "none", classes: "none", cssIDs: "none", styles: "none", require: "none"}}
});
</script>
"""
"""A formula can be any size, and move its parts: its cell cuts off what would cover the page."""


class MarkingPage(HTMLExporter):
    """Shows a notebook for marking; whatever Markdown comes to, only what is harmless is shown."""

    @pass_context
    def markdown2html(self, context: Any, source: str) -> str:
        """Return a cell's Markdown as harmless HTML."""
        return harmless(super().markdown2html(context, source))

    def from_filename(  # type: ignore[override]  # the page is a text, whatever they call it
        self, filename: str, resources: dict[str, Any] | None = None, **others: Any
    ) -> tuple[str, dict[str, Any]]:
        """Return the page, with what contains a cell before everything else in its head."""
        page, found = super().from_filename(filename, resources, **others)
        before, head, after = page.partition("<head>")
        if not head:
            raise web.HTTPError(500, "nbgrader's page has no head")
        return before + head + CONTAINED + after, found


class Start(JupyterHandler):
    """Leads from the address that is opened to the class."""

    @web.authenticated
    def get(self) -> None:
        """Redirect; the cookie that the token has brought is set already."""
        self.redirect(self.base_url.rstrip("/") + START)


class MarkingExtension(FormgradeExtension):
    """nbgrader's formgrader with our pages."""

    def init_tornado_settings(self, webapp: Any) -> None:
        """Put our page in the place of nbgrader's."""
        super().init_tornado_settings(webapp)
        webapp.settings["nbgrader_exporter"] = MarkingPage(config=self.config)
        webapp.settings["headers"] = HEADERS

    def init_handlers(self, webapp: Any) -> None:
        """Add the handlers; what was added first is asked first."""
        webapp.add_handlers(".*$", [(r"/formgrader/?", Start)])
        super().init_handlers(webapp)


def _load_jupyter_server_extension(app: Any) -> None:
    extension = MarkingExtension(parent=app)
    extension.root_dir = app.root_dir
    extension.log = app.log
    extension.initialize([])
    extension.init_tornado_settings(app.web_app)
    extension.init_handlers(app.web_app)


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": __name__}]
