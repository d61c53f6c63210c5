"""Exhibits, drawn from records and published numbers only; the report made of them; and the copies that users open."""


use rule cell as table with:
    """Cells that the table shows, published numbers -> .tex, .csv, .html, .json"""
    wildcard_constraints:
        kind="table",
    conda:
        "../../envs/plan.yaml"


use rule cell as figure with:
    """Cells that the figure shows -> .svg, .pdf, and its data as .csv"""
    wildcard_constraints:
        kind="figure",
    conda:
        "../../envs/plan.yaml"


use rule cell as report with:
    """All tables and figures of a study -> report.html, report.pdf"""
    wildcard_constraints:
        kind="report",
    conda:
        "../../envs/plan.yaml"


use rule batch as exhibits with:
    """Two dozen tables and figures of a study, drawn by one process: what one has read, the others need not read again."""
    wildcard_constraints:
        address=r"exhibits/[^\s]+",
    conda:
        "../../envs/plan.yaml"


# Copies are made where Snakemake runs: they take no time.
localrules:
    copy_table,
    copy_figure,
    copy_report,


rule copy_table:
    """results/<study>/<table>: copies of the table's files under the name that users type."""
    input:
        copy_inputs,
    output:
        multiext("results/{at}{name}", ".tex", ".csv", ".html", ".json"),
    log:
        "results/logs/copies/{at}{name}.log",
    wildcard_constraints:
        name="|".join(named.names("table")),
    conda:
        "../../envs/plan.yaml"
    params:
        folder=copied,
    shell:
        # whole or not at all: a file is renamed into its place
        "for file in {output:q}; do "
        'cp {params.folder:q}/$(basename "$file") "$file.part" && mv -f "$file.part" "$file"; '
        "done > {log:q} 2>&1"


use rule copy_table as copy_figure with:
    """results/<study>/<figure>: copies of the figure's files under the name that users type."""
    output:
        multiext("results/{at}{name}", ".svg", ".pdf", ".csv"),
    wildcard_constraints:
        name="|".join(named.names("figure")),


use rule copy_table as copy_report with:
    """results/<study>/report.html and .pdf: copies of the report's files under the name that users type."""
    output:
        multiext("results/{at}{name}", ".html", ".pdf"),
    wildcard_constraints:
        name="report",
