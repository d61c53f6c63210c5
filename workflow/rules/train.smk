"""Models: pre-training, fine-tuning, evaluation, and traces of the tokens."""


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
