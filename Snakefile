"""audioprune: from audio to a finished report. Targets: all (the paper study), <study>, results/<study>/<exhibit>."""

import os
import sys
import time
from pathlib import Path

from audioprune.errors import UserError
from audioprune.planning.plan import Plan
from audioprune.planning.run import Run, Submitted, refused

# Steps run with the Python that plans, whether or not its environment is activated, unless Snakemake has activated one
# for the job (--sdm conda); with this checkout's code, which no environment of envs/ has; and with cached bytecode,
# without which every process would compile torch's sources anew.
around, planner = os.environ.get("CONDA_PREFIX", ""), Path(sys.executable).parent
source = Path(workflow.basedir) / "src"
shell.prefix(
    "set -euo pipefail; unset PYTHONDONTWRITEBYTECODE; "
    '[ "x${{CONDA_PREFIX:-}}" != x{around:q} ] || export PATH={planner:q}:"$PATH"; '
    'export PYTHONPATH={source:q}"${{PYTHONPATH:+:$PYTHONPATH}}"; '
)

if config:
    raise WorkflowError(
        f"--config and --configfile are not read ({', '.join(config)}): what decides a result stands in config.yaml, "
        "which plan, status and why read, too; make your change there"
    )

if switch := refused(sys.argv):
    raise WorkflowError(switch)

planned = time.time()
# Snakemake says in no other way what it was asked for (and that only once it has read this file), nor which of its
# processes this is.
try:
    plan = Plan()
    run = (
        Run(plan, lambda: workflow.dag_settings.targets)
        if workflow.is_main_process
        else Submitted()
    )
except UserError as error:
    raise WorkflowError(str(error)) from None

if plan.config.mirror:
    os.environ.setdefault("AUDIOPRUNE_MIRROR", plan.config.mirror)


onstart:
    try:
        run.begin(planned, workflow.executor_plugin.name)
    except UserError as error:
        raise WorkflowError(str(error)) from None
    # A limit of submissions a second is for the controller of a cluster; here the cores are the limit. With it, every job
    # that has ended has Snakemake solve its integer program once a second for as long as others wait.
    if workflow.local_exec:
        workflow.scheduler.job_rate_limiter = None


wildcard_constraints:
    address=r"[^\s]+",
    key=r"[0-9a-f]{16}",
    at="(?:(?:" + "|".join(s for s in plan.config.studies if s != "paper") + ")/)?",


include: "workflow/rules/common.smk"
include: "workflow/rules/targets.smk"
include: "workflow/rules/cell.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/profile.smk"
include: "workflow/rules/report.smk"


rule all:
    """The paper study: its tables, figures and report."""

    # Not included: of an included file Snakemake takes no default target.
    default_target: True
    input:
        report_of("paper"),
