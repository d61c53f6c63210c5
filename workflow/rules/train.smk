"""Models: pre-training, fine-tuning, evaluation, traces of the tokens, and what is read from them."""


use rule cell as pretrain with:
    """audio, features of the generated corpus -> encoder weights; history.csv"""
    wildcard_constraints:
        kind="pretrain",
    priority: 10


use rule cell as finetune with:
    """audio, features, checkpoint -> last, best_test and best_val weights; history.csv"""
    wildcard_constraints:
        kind="finetune",


use rule cell as evaluate with:
    """finetune, audio, features (clusters where perturbed) -> predictions.parquet, scores of every clip"""
    wildcard_constraints:
        kind="evaluate",


use rule cell as trace with:
    """finetune, audio, features -> scores, kept patches and norms of each clip and block"""
    wildcard_constraints:
        kind="trace",


use rule cell as tokens with:
    """trace, features, clusters (audio where made) -> what was kept, ratios and correlations of each clip"""
    wildcard_constraints:
        kind="tokens",


use rule cell as discard with:
    """unpruned finetune, audio, features, clusters -> predictions without the tokens of some clusters"""
    wildcard_constraints:
        kind="discard",


use rule cell as noisy with:
    """finetune, audio, features (audio of what noise is made of) -> noisy.parquet, scores of every clip, clean and disturbed"""
    wildcard_constraints:
        kind="noisy",


use rule cell as durations with:
    """finetune, audio, features -> predictions of test clips padded to the model's length and without padding"""
    wildcard_constraints:
        kind="durations",


use rule cell as recognise with:
    """audio (checkpoint, or the recogniser that is adapted) -> last and best_val weights, units; history.csv"""
    wildcard_constraints:
        kind="recognise",
    priority: 5


use rule cell as transcribe with:
    """audio, checkpoint of a recogniser or a trained one -> transcripts.parquet: what is heard in each clip, errors, tokens and MACs"""
    wildcard_constraints:
        kind="transcribe",


use rule batch as transcripts with:
    """Transcripts by a published recogniser, a dozen arms by one process: no training goes before them, and none takes longer."""
    wildcard_constraints:
        address=r"fetch/[^\s]+",
    priority: 7  # begun first, so that at the end no core waits for the last of them
