"""What two or more chapters of the course share."""

from utils import import_order  # noqa: F401 (before a chapter imports TensorFlow)
