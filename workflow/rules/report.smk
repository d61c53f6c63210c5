"""Exhibits, drawn from records and published numbers only, and the report made of them."""


rule table:
    input:
        exhibit_inputs("table"),
    output:
        multiext("results/{at}{name}", ".tex", ".csv", ".html", ".json"),
    log:
        "results/logs/exhibits/{at}{name}.log",
    wildcard_constraints:
        name=names("tables"),
    params:
        study=study_of,
        key=exhibit_key("table"),
    shell:
        "python -m audioprune.steps.table --study {params.study} --name {wildcards.name} --key {params.key} --log {log:q}"


rule figure:
    input:
        exhibit_inputs("figure"),
    output:
        multiext("results/{at}{name}", ".pdf", ".svg", ".csv"),
    log:
        "results/logs/exhibits/{at}{name}.log",
    wildcard_constraints:
        name=names("figures"),
    params:
        study=study_of,
        key=exhibit_key("figure"),
    shell:
        "python -m audioprune.steps.figure --study {params.study} --name {wildcards.name} --key {params.key} --log {log:q}"


rule sheet:  # several exhibits of one report, drawn by one process
    input:
        sheet_inputs,
    output:
        touch("results/logs/sheets/{sheet}.done"),
    log:
        "results/logs/sheets/{sheet}.log",
    params:
        list="results/logs/sheets/{sheet}.json",
    shell:
        "python -m audioprune.steps.sheet --list {params.list:q} --log {log:q}"


rule report:
    input:
        report_inputs,
    output:
        multiext("results/{at}{name}", ".html", ".pdf"),
    log:
        "results/logs/exhibits/{at}{name}.log",
    wildcard_constraints:
        name="report",
    params:
        study=study_of,
        key=exhibit_key("report"),
    shell:
        "python -m audioprune.steps.report --study {params.study} --name {wildcards.name} --key {params.key} --log {log:q}"
