"""Reading data sets: formats, the index, images, tasks, and the validation split."""
