"""Models: pre-training, fine-tuning, evaluation, traces of the tokens, and what is read from them."""


rule pretrain:
    input:
        inputs_of("pretrain"),
    output:
        "results/cells/pretrain/{address}/{key}/record.json",
    log:
        "results/logs/pretrain/{address}/{key}.log",
    priority: 10
    resources:
        gpu=gpus("pretrain"),
    params:
        cell=cell_json("pretrain"),
    shell:
        "python -m audioprune.steps.pretrain --gpus {resources.gpu} --cell {params.cell:q} --log {log:q}"


rule finetune:
    input:
        inputs_of("finetune"),
    output:
        "results/cells/finetune/{address}/{key}/record.json",
    log:
        "results/logs/finetune/{address}/{key}.log",
    resources:
        gpu=gpus("finetune"),
    params:
        cell=cell_json("finetune"),
    shell:
        "python -m audioprune.steps.finetune --gpus {resources.gpu} --cell {params.cell:q} --log {log:q}"


rule evaluate:
    input:
        inputs_of("evaluate"),
    output:
        "results/cells/evaluate/{address}/{key}/record.json",
    log:
        "results/logs/evaluate/{address}/{key}.log",
    resources:
        gpu=gpus("evaluate"),
    params:
        cell=cell_json("evaluate"),
    shell:
        "python -m audioprune.steps.evaluate --gpus {resources.gpu} --cell {params.cell:q} --log {log:q}"


rule trace:
    input:
        inputs_of("trace"),
    output:
        "results/cells/trace/{address}/{key}/record.json",
    log:
        "results/logs/trace/{address}/{key}.log",
    resources:
        gpu=gpus("trace"),
    params:
        cell=cell_json("trace"),
    shell:
        "python -m audioprune.steps.trace --gpus {resources.gpu} --cell {params.cell:q} --log {log:q}"


rule clusters:
    input:
        inputs_of("clusters"),
    output:
        "results/cells/clusters/{address}/{key}/record.json",
    log:
        "results/logs/clusters/{address}/{key}.log",
    params:
        cell=cell_json("clusters"),
    shell:
        "python -m audioprune.steps.clusters --cell {params.cell:q} --log {log:q}"


rule tokens:
    input:
        inputs_of("tokens"),
    output:
        "results/cells/tokens/{address}/{key}/record.json",
    log:
        "results/logs/tokens/{address}/{key}.log",
    params:
        cell=cell_json("tokens"),
    shell:
        "python -m audioprune.steps.tokens --cell {params.cell:q} --log {log:q}"


rule batch:  # several cells of one fine-tuning, or several counted models, made by one process
    input:
        batch_inputs,
    output:
        touch("results/logs/batches/{batch}.done"),
    log:
        "results/logs/batches/{batch}.log",
    threads:
        lambda wildcards: (
            workflow.resource_settings.cores or 1
            if batches.read(wildcards.batch)["alone"]
            else 1
        )
    resources:
        gpu=lambda wildcards: batches.read(wildcards.batch)["gpus"],
    params:
        list="results/logs/batches/{batch}.json",
    shell:
        "python -m audioprune.steps.batch --gpus {resources.gpu} --list {params.list:q} --log {log:q}"


rule discard:
    input:
        inputs_of("discard"),
    output:
        "results/cells/discard/{address}/{key}/record.json",
    log:
        "results/logs/discard/{address}/{key}.log",
    resources:
        gpu=gpus("discard"),
    params:
        cell=cell_json("discard"),
    shell:
        "python -m audioprune.steps.discard --gpus {resources.gpu} --cell {params.cell:q} --log {log:q}"
