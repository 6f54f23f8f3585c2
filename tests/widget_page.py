"""One web page with all widgets, as an exported page has them: no kernel, no server, no network."""

from bs4 import BeautifulSoup

from teaching.html import add_widgets, place

DARK = "--jp-layout-color0: #111111; --jp-layout-color2: #424242; --jp-content-font-color0: #ffffff;"


def write_page(path, widgets, style="", before=""):
    """Write a page with these widgets to `path`; its body is dark with the class "dark".

    `style` is more CSS, `before` a script that runs before the widgets'.
    """
    page = BeautifulSoup(
        "<!doctype html><html><head><meta charset='utf-8'><style>"
        f"body {{ margin: 8px; }} body.dark {{ {DARK} background: #111111; }} {style}"
        f"</style><script>{before}</script></head><body>"
        + "".join(place(widget.static_state()) for widget in widgets)
        + "</body></html>",
        "html.parser",
    )
    add_widgets(page)
    path.write_text(str(page), encoding="utf-8")
    return path
