"""Tables that read well as text, on GitHub and on a projector."""


class Table:
    """Rows of values under a header. In a notebook it renders as a Markdown table.

    Parameters
    ----------
    header : sequence of str
    rows : sequence of sequences
        Of the header's length. Values are shown with str(), so round numbers first.

    Raises
    ------
    ValueError
        A row is longer or shorter than the header.
    """

    def __init__(self, header, rows):
        self.header = [str(name) for name in header]
        self.rows = [[str(value) for value in row] for row in rows]
        for row in self.rows:
            if len(row) != len(self.header):
                raise ValueError(f"rows must have {len(self.header)} values like the header, got {row}")

    def __repr__(self):
        lines = [self.header, *self.rows]
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.header))]
        return "\n".join(
            "  ".join(value.ljust(width) for value, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        )

    def _repr_markdown_(self):
        escaped = [
            [value.replace("|", "\\|").replace("\n", "<br>") for value in line]
            for line in (self.header, *self.rows)
        ]
        escaped.insert(1, ["---"] * len(self.header))
        return "\n".join("| " + " | ".join(line) + " |" for line in escaped)
