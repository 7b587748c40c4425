# What jobs ask of a cluster: memory and minutes by the size of their inputs, and more at every attempt (--retries).
# On one machine they only bound what runs at once, and only with --resources. Changing them re-runs nothing.

CHECKPOINT_SECONDS = round(CONFIG.run.checkpoint_interval)  # resources are whole numbers


def size_mb(files):
    """Return the MB of the files that exist: in a group of jobs, some are made only after the group was submitted."""
    return sum(Path(file).stat().st_size for file in files if Path(file).exists()) / 1e6


def memory(base, per_mb=0.0, most=None):
    """Return a resources function: MB, `base` for the program and `per_mb` for each MB of the job's inputs.

    `most(wildcards)` bounds what the inputs add, where a setting says how much of them is held at once.
    """

    def needed(wildcards, input, attempt):
        held = per_mb * size_mb(input)
        return int(attempt * (base + (min(held, most(wildcards)) if most else held)))

    return needed


def minutes(base, per_mb=0.0, per_image=0.0):
    """Return a resources function: minutes, `base` and what each MB of the inputs and each of the images adds."""

    def needed(wildcards, input, attempt):
        images = image_count(input.images) if per_image else 0
        return int(attempt * (base + per_mb * size_mb(input) + per_image * images))

    return needed


def image_count(path):
    """Return the number of images in a data set's index, 0 before it is made, or where it is damaged and made again."""
    from pyarrow.parquet import read_metadata

    try:
        return read_metadata(path).num_rows
    except (OSError, ValueError):
        return 0


def shard_minutes(wildcards, input, attempt):
    """Return the minutes to extract one shard: enough for a slow GPU, or a few images a second on CPUs."""
    images = image_count(input.images) / dataset_settings(wildcards).shards
    return int(attempt * (15 + images / 60))


def kept_regions(wildcards):
    """Return the MB of region features, with SCEN's attention on them, that a training keeps in memory at most."""
    given = {"scen": CONFIG.scen_of, "dazle": CONFIG.dazle_of}[CONFIG.space(wildcards.space).kind]
    return 2**30 / 1e6 * given(wildcards.dataset, wildcards.space).memory_budget  # which is in GiB
