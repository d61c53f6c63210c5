"""The two rules that all others are made from: a cell, and several cells by one process.

Time and memory of a job stand in the record that it leaves (no `benchmark:`), and the report is the project's own (no
`report()`).
"""


rule cell:
    """What every cell's rule is made from: records of cells -> one more cell, known by its kind, address and key."""
    input:
        cell_inputs,
    output:
        "results/cells/{kind}/{address}/{key}/record.json",
    log:
        "results/logs/{kind}/{address}/{key}.log",
    wildcard_constraints:
        kind="none",
    conda:
        "../../envs/torch.yaml"
    resources:
        gpu=gpus,
    params:
        job=job,
    shell:
        "python -m audioprune.steps.{wildcards.kind} --gpus {resources.gpu} --job {params.job:q} --log {log:q}"


rule batch:
    """Several cells of one fine-tuning, or several counted or timed models, made by one process."""
    input:
        batch_inputs,
    output:
        touch("results/logs/batches/{address}/{key}.done"),
    log:
        "results/logs/batches/{address}/{key}.log",
    wildcard_constraints:
        address=r"(?!exhibits/|fetch/)[^\s]+",
    conda:
        "../../envs/torch.yaml"
    threads: cores
    resources:
        gpu=gpus,
    params:
        job=job,
    shell:
        "python -m audioprune.steps.batch --gpus {resources.gpu} --job {params.job:q} --log {log:q}"
