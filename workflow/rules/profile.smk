"""Cost: exact MACs, and throughput with nothing else running beside it."""


rule macs:
    input:
        inputs_of("macs"),
    output:
        "results/cells/macs/{address}/{key}/record.json",
    log:
        "results/logs/macs/{address}/{key}.log",
    params:
        cell=cell_json("macs"),
    shell:
        "python -m audioprune.steps.macs --cell {params.cell:q} --log {log:q}"


rule throughput:
    input:
        inputs_of("throughput"),
    output:
        "results/cells/throughput/{address}/{key}/record.json",
    log:
        "results/logs/throughput/{address}/{key}.log",
    threads: workflow.resource_settings.cores or 1
    resources:
        gpu=gpus("throughput"),
    params:
        cell=cell_json("throughput"),
    shell:
        "python -m audioprune.steps.throughput --gpus {resources.gpu} --cell {params.cell:q} --log {log:q}"
