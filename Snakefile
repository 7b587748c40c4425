# SC-EGG, from raw images to result tables. Each line below is a chapter; rules/common.smk holds the helpers.
from snakemake.utils import min_version

min_version("9.27")


include: "rules/written.smk"


configfile: f"{workflow.basedir}/resources/methods.yaml"
configfile: f"{workflow.basedir}/config.yaml"


report: "report/workflow.rst"


include: "rules/resume.smk"
include: "rules/screen.smk"
include: "rules/records.smk"
include: "rules/targets.smk"
include: "rules/common.smk"
include: "rules/resources.smk"
include: "rules/data.smk"
include: "rules/words.smk"
include: "rules/regions.smk"
include: "rules/scen.smk"
include: "rules/dazle.smk"
include: "rules/eggn.smk"
include: "rules/classify.smk"
include: "rules/evaluate.smk"
include: "rules/report.smk"
include: "rules/using.smk"


localrules:
    all,
    fetch,
    fetch_vectors,
    fetch_weights,
    generate_aviary,
    tabulate,
    compare_spaces,
    summarize,
    count_classes,
    tune,


rule all:
    default_target: True
    input:
        "results/summary.csv",
        report_of(*CONFIG.tables.summary),
