"""Audio: fetched or generated, decoded into a store, and turned into fbank."""


# Downloads run where Snakemake runs: the nodes of a cluster often have no way out.
localrules:
    fetch,


rule fetch:
    input:
        inputs_of("fetch"),
    output:
        "results/cells/fetch/{address}/{key}/record.json",
    log:
        "results/logs/fetch/{address}/{key}.log",
    retries: 2
    params:
        cell=cell_json("fetch"),
    shell:
        "python -m audioprune.steps.fetch --cell {params.cell:q} --log {log:q}"


rule generate:
    input:
        inputs_of("generate"),
    output:
        "results/cells/generate/{address}/{key}/record.json",
    log:
        "results/logs/generate/{address}/{key}.log",
    params:
        cell=cell_json("generate"),
    shell:
        "python -m audioprune.steps.generate --cell {params.cell:q} --log {log:q}"


rule audio:
    input:
        inputs_of("audio"),
    output:
        "results/cells/audio/{address}/{key}/record.json",
    log:
        "results/logs/audio/{address}/{key}.log",
    params:
        cell=cell_json("audio"),
    shell:
        "python -m audioprune.steps.audio --cell {params.cell:q} --log {log:q}"


rule features:
    input:
        inputs_of("features"),
    output:
        "results/cells/features/{address}/{key}/record.json",
    log:
        "results/logs/features/{address}/{key}.log",
    params:
        cell=cell_json("features"),
    shell:
        "python -m audioprune.steps.features --cell {params.cell:q} --log {log:q}"
