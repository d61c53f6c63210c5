"""A recogniser with a CTC head: trained from nothing, adapted to a policy, or taken as it was published."""

from __future__ import annotations

from audioprune.errors import UserError
from audioprune.settings import RecogniseSettings
from audioprune.steps._run import Job, main


def recognise(job: Job[RecogniseSettings]) -> dict:
    raise UserError(f"{job.address}: {job.settings.recogniser} cannot be trained yet")


if __name__ == "__main__":
    main(recognise)
