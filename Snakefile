"""audioprune: from audio to a finished report. Targets: all (the paper study), <study>, results/<study>/<exhibit>."""

import os
import sys
import time
from pathlib import Path

from audioprune import leases
from audioprune.errors import UserError
from audioprune.planning.lock import LOCK, hold
from audioprune.planning.plan import Plan

# Steps run with the Python that plans, whether or not its environment is activated; and with cached bytecode, without
# which every process would compile torch's sources anew.
shell.prefix(
    f"set -euo pipefail; unset PYTHONDONTWRITEBYTECODE; export PATH={Path(sys.executable).parent}:$PATH; "
)

planned = time.time()
try:
    plan = Plan(
        main=workflow.is_main_process, targets=lambda: workflow.dag_settings.targets
    )
except UserError as error:
    raise WorkflowError(str(error)) from None

if plan.config.mirror:
    os.environ.setdefault("AUDIOPRUNE_MIRROR", plan.config.mirror)


onstart:
    # Kept by what lives as long as this process: a name in here would not, and the lock would be given back at once.
    try:
        plan.lock = hold()
    except UserError as error:
        raise WorkflowError(str(error)) from None
    leases.forget_finished(LOCK.parent, before=planned)


wildcard_constraints:
    address=r"[^\s]+",
    key=r"[0-9a-f]{16}",
    batch=r"[^\s]+/[0-9a-f]{16}",
    sheet=r"[^\s]+/[0-9a-f]{16}",
    at="(?:(?:" + "|".join(s for s in plan.config.studies if s != "paper") + ")/)?",


include: "workflow/rules/common.smk"
include: "workflow/rules/targets.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/profile.smk"
include: "workflow/rules/report.smk"


rule all:  # not included: of an included file Snakemake takes no default target
    """The paper study: its tables, figures and report."""
    default_target: True
    input:
        report_of("paper"),
