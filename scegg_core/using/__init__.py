"""Using a trained run: predictions on new pictures, new classes by description, explanations, export."""
