"""Targets: `all` is the paper study; every study's name is a target too."""


rule all:
    default_target: True
    input:
        report_of("paper"),


for _study in plan.config.studies:

    rule:
        name:
            _study.replace("-", "_")
        input:
            report_of(_study),
