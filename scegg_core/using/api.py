"""What a program needs to use a trained run: load it, predict, explain, add classes, export (docs/using.md)."""

from scegg_core.using.contrast import contrast_classes, contrast_image, draw_contrast
from scegg_core.using.export import export_run
from scegg_core.using.extend import add_classes
from scegg_core.using.load import load_model
from scegg_core.using.page.build import write_page
from scegg_core.using.pictures import find_pictures
from scegg_core.using.predict import predict, write_answers
from scegg_core.using.sheets import attention_sheet, write_sheets

__all__ = [
    "add_classes",
    "attention_sheet",
    "contrast_classes",
    "contrast_image",
    "draw_contrast",
    "export_run",
    "find_pictures",
    "load_model",
    "predict",
    "write_answers",
    "write_page",
    "write_sheets",
]
