"""Targets: every study's name is one; `all`, the paper study, stands in the Snakefile."""

for _study in plan.config.studies:

    rule:
        name:
            _study.replace("-", "_")
        input:
            report_of(_study),
