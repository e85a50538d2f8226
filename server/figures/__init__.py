"""Charts, as Plotly figures: the page draws them, and so does a notebook."""
