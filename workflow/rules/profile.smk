"""Cost: exact MACs, and throughput with nothing else running beside it."""


use rule cell as macs with:
    """Shape of a model, method, keep-rates -> macs.csv, counted and in closed form"""
    wildcard_constraints:
        kind="macs",


use rule cell as throughput with:
    """The same, on one device -> throughput.csv, each keep-rate beside the unpruned model in the same run"""
    wildcard_constraints:
        kind="throughput",
    threads: cores


use rule cell as pace with:
    """audio, checkpoint of a recogniser -> pace.csv, every way to batch clips of their own lengths in the same run"""
    wildcard_constraints:
        kind="pace",
    threads: cores
