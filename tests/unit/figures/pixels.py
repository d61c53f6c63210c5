"""What is seen of a panel: its picture under what covers it."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes


def seen(ax: Axes) -> np.ndarray:
    """(rows, columns, 3), as the reader sees it."""
    picture, *covers = (image.get_array() for image in ax.images)
    for cover in covers:
        picture = np.where(cover[..., 3:] == 255, cover[..., :3], picture)
    return picture
