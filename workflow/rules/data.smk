"""Audio: fetched or generated, decoded into a store, and turned into fbank."""


# Downloads run where Snakemake runs: the nodes of a cluster often have no way out.
localrules:
    fetch,


use rule cell as fetch with:
    """A public archive or checkpoint, or what the user brings -> its files, checked against their digests."""
    wildcard_constraints:
        kind="fetch",
    retries: 2


use rule cell as generate with:
    """Settings of a generator -> made audio, with what it knows of each patch."""
    wildcard_constraints:
        kind="generate",


use rule cell as audio with:
    """fetch or generate -> waveforms at 16 kHz, clips.parquet with labels, splits and folds."""
    wildcard_constraints:
        kind="audio",


use rule cell as features with:
    """audio -> log-mel fbank of every clip, mean and standard deviation."""
    wildcard_constraints:
        kind="features",


use rule cell as clusters with:
    """audio, features -> levels of intensity and variation of the dataset's patches, its signal threshold."""
    wildcard_constraints:
        kind="clusters",
