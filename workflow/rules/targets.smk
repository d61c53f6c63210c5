"""Targets: every study's name is one; `all`, the paper study, stands in the Snakefile."""

for _study in plan.config.studies:

    rule:
        """A study of config.yaml: its tables, figures and report."""
        name:
            _study.replace("-", "_")
        input:
            report_of(_study),


rule misspelt:
    """What no rule makes: a target that is misspelt is refused, with the nearest name."""
    input:
        nearest,
    output:
        "{target}",
    wildcard_constraints:
        target=exhibits.misspelt(plan.config.studies),
