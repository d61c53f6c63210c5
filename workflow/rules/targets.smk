"""Targets: `all` is the paper study; every study's name is a target too."""


rule all:
    input:
        report_of("paper"),
    default_target: True


for _study in plan.config.studies:

    rule:
        name:
            _study.replace("-", "_")
        input:
            report_of(_study),
