"""One web page with all widgets, as an exported page has them: no kernel, no server, no network."""

from teaching.html import place
from utils.widgets.base import CSS, bundle

DARK = "--jp-layout-color0: #111111; --jp-layout-color2: #424242; --jp-content-font-color0: #ffffff;"


def write_page(path, widgets, style="", before=""):
    """Write a page with these widgets to `path`; its body is dark with the class "dark".

    `style` is more CSS, `before` a script that runs before the widgets'.
    """
    places = "".join(place(widget.static_state()) for widget in widgets)
    path.write_text(
        "<!doctype html><html><head><meta charset='utf-8'><style>"
        f"body {{ margin: 8px; }} body.dark {{ {DARK} background: #111111; }} {style}"
        f"{CSS.read_text('utf-8')}</style><script>{before}</script></head><body>{places}<script>{bundle('page')}</script></body></html>",
        encoding="utf-8",
    )
    return path
