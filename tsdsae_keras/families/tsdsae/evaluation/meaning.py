"""The name of every score of an evaluation, which direction is better, and what it cannot see."""

from dataclasses import dataclass

HIGHER, LOWER = "higher", "lower"

INTERVALS = (
    "Intervals are at 95 %, by a percentile bootstrap over test sequences, those of one melody, or where melodies are "
    "not known of one recording, drawn together; they do not see another seed of the training, another draw of "
    "partners or another judge. Where no example is wrong the bootstrap gives no width: with n independent examples "
    "and no error, the rate of errors is below 3 / n at 95 %. "
    "Worst: what a model that has learnt nothing scores by the same measurement; best: the best attainable value. "
    "After a swap the worst F1 is 0 and not 1 / classes: partners always differ in class, so a model that ignores v is "
    "always wrong. Rows of real sequences tell how much of the best value the measurement itself allows."
)


@dataclass(frozen=True)
class Meaning:
    """A row of the table: its group, its name, which direction is better ("higher", "lower", None), its note."""

    group: str
    name: str
    direction: str | None
    note: str


TRUE_SWAPS = "True swaps ({source})"
DIRECTIONS = "True swaps, by direction"
VOCODED = "True swaps after the vocoder (heard with a range of 60 dB)"
OWN = "Timbre, by the own encoder (macro-F1)"
JUDGE = "Timbre, by an independent judge (macro-F1)"
MELODY = "Melody ({tracker}, against {reference})"
NOTES = "Melody (notes read in log-mel frames)"
RECONSTRUCTION = "Reconstruction"
USE = "Use of the codes"
LEAKAGE = "Leakage"
DISTANCE = "Distance from real sequences (Fréchet, embedding {embedding})"
FACTORS = "A dimension for each factor (v and z together)"

_TRUTH = "Against the same melody played by the other instrument; no judge, no label. Blind to what is audible."
_SHARE = "1 - swap to truth / original to truth: 0 leaves the sound as it was, 1 is the true rendering."
_ATTAINED = "(original - swap) / (original - reconstruction of the truth): 1 is a swap as good as a reconstruction."
_HEARD = "Swap and reconstruction through the vocoder, original and truth real sound."
_OWN = "Linear discriminant analysis on v of the training set. Blind to whether anything but this encoder can tell."
_JUDGE = (
    "Logistic regression on spectral outlines of real training frames; it never saw the model. Blind to attacks, "
    "vibrato and quality."
)
_WAY = (
    "On the judge's scale, from the reconstruction of the sequence (0) to its partner's (1), by the global swap. "
    "Beyond 1: plainer than the partner."
)
_NOTES = (
    "Frames that show the right note, by linear discriminant analysis of real training frames. Worst: another melody. "
    "Blind to what sounds in rests."
)
_CARRIED = (
    "What exchanging v within one instrument changes, as a share of the distance to the other melody. 1: v decides "
    "the melody. Loudness counts too."
)
_RPA = "Frames with the right pitch, to 50 cents. Blind to timbre and to what sounds in rests; trackers make errors."
_RCA = "The same, octave errors forgiven. Blind as above."
_ENDS = "Worst: another melody of the set. The originals tell what the vocoder and the tracker allow."
_LEAK = (
    "The better of two probes: 0 is chance, 1 perfect. What they do not find may still be there. On another backend "
    "it may differ by some hundredths."
)
_ZERO = "0: the decoder ignores v. After stage 2 v = 0 may be unlike any code."
_ACTIVE = "The encoder writes them; the decoder may ignore them."
_KL_V = "Near 0: the posterior is the prior, by collapse or by design."
_KL_Z = "Near 0: a frame adds nothing to what came before."
_CONTROL = "Control for the leak above: the label in the code where it belongs."
_GAP = "As a share of H(y), from lower bounds of the information."
_FACTOR = "Axis-aligned: asks for one dimension a factor, which a model of two blocks does not promise."
_DISTANCE = "Means and covariances only; grows as n falls, so compare at equal n. Worst: the mean frame in every place."

_HALVES = "Two random halves of the real set: sampling alone, at half the n. Close reconstructions may be nearer."
_DRAWN = f"{_DISTANCE} One draw of v and z: another changes it, by a fifth in one trained model."

MEANINGS = {
    "counterfactual.share_of_way": Meaning(
        TRUE_SWAPS, "share of the way to the truth", HIGHER, f"{_SHARE} Best: that of the reconstruction of the truth."
    ),
    "counterfactual.swap_ratio": Meaning(
        TRUE_SWAPS,
        "error of swaps / error of reconstructions",
        LOWER,
        f"{_TRUTH} 1: as good as a reconstruction.",
    ),
    "counterfactual.swap_to_truth": Meaning(TRUE_SWAPS, "swap to truth (nats²)", LOWER, _TRUTH),
    "counterfactual.original_to_truth": Meaning(
        TRUE_SWAPS, "original to truth (nats²)", None, "How far apart the instruments are: a property of the data."
    ),
    "counterfactual.reconstruction_of_truth": Meaning(
        TRUE_SWAPS, "reconstruction of the truth (nats²)", LOWER, "What the model keeps of the truth when it hears it."
    ),
    "counterfactual.audible": Meaning(
        TRUE_SWAPS, "share of the way, audible bins", HIGHER, f"{_SHARE} Bins within 60 dB of the peak of their frame."
    ),
    "counterfactual.distance": Meaning(TRUE_SWAPS, "swap to truth, log-spectral (dB)", LOWER, _TRUTH),
    "counterfactual.pair": Meaning(DIRECTIONS, "share of the way, {own} to {other}", HIGHER, _SHARE),
    "counterfactual.heard": Meaning(VOCODED, "share of the attainable way", HIGHER, f"{_ATTAINED} {_HEARD}"),
    "counterfactual.heard_pair": Meaning(
        VOCODED, "share of the attainable way, {own} to {other}", HIGHER, f"{_ATTAINED} {_HEARD}"
    ),
    "counterfactual.vocoded_truth": Meaning(
        VOCODED, "truth through the vocoder to truth (nats²)", LOWER, "What the vocoder alone costs."
    ),
    "swap_f1.pre": Meaning(OWN, "before the swap", HIGHER, f"{_OWN} Worst: chance."),
    "swap_f1.global": Meaning(OWN, "after the global swap (v of the partner)", HIGHER, _OWN),
    "swap_f1.local": Meaning(OWN, "after the local swap (z of the partner)", HIGHER, _OWN),
    "judge_f1.real": Meaning(JUDGE, "real sequences", HIGHER, f"{_JUDGE} This is what the judge knows."),
    "judge_vocoded": Meaning(JUDGE, "real sequences through the vocoder", HIGHER, f"{_JUDGE} What a vocoder leaves."),
    "judge_f1.pre": Meaning(JUDGE, "reconstructions", HIGHER, f"{_JUDGE} Worst: chance."),
    "judge_f1.global": Meaning(JUDGE, "after the global swap", HIGHER, _JUDGE),
    "judge_f1.local": Meaning(JUDGE, "after the local swap", HIGHER, _JUDGE),
    "timbre_way": Meaning(JUDGE, "way from the old timbre to the new", None, _WAY),
    "notes.real": Meaning(NOTES, "right notes, real sequences", HIGHER, f"{_NOTES} This is what the reader knows."),
    "notes.reconstruction": Meaning(NOTES, "right notes, reconstructions", HIGHER, _NOTES),
    "notes.global": Meaning(NOTES, "right notes, global swap", HIGHER, _NOTES),
    "notes.local": Meaning(NOTES, "right notes, local swap (the partner's)", HIGHER, _NOTES),
    "notes.same": Meaning(NOTES, "right notes, v of another melody on the same instrument", HIGHER, _NOTES),
    "melody.original.rpa": Meaning(MELODY, "pitch, originals through the vocoder", HIGHER, f"{_RPA} {_ENDS}"),
    "melody.reconstruction.rpa": Meaning(MELODY, "pitch, reconstructions", HIGHER, f"{_RPA} {_ENDS}"),
    "melody.global.rpa": Meaning(MELODY, "pitch, global swap: the melody it must keep", HIGHER, f"{_RPA} {_ENDS}"),
    "melody.local.rpa": Meaning(MELODY, "pitch, local swap: the melody it must take", HIGHER, f"{_RPA} {_ENDS}"),
    "melody.original.rca": Meaning(MELODY, "chroma, originals through the vocoder", HIGHER, f"{_RCA} {_ENDS}"),
    "melody.reconstruction.rca": Meaning(MELODY, "chroma, reconstructions", HIGHER, f"{_RCA} {_ENDS}"),
    "melody.global.rca": Meaning(MELODY, "chroma, global swap", HIGHER, f"{_RCA} {_ENDS}"),
    "melody.local.rca": Meaning(MELODY, "chroma, local swap", HIGHER, f"{_RCA} {_ENDS}"),
    "reconstruction.mse": Meaning(
        RECONSTRUCTION,
        "mean squared error (nats²)",
        LOWER,
        "Compare swap scores at equal error only. Blind to what is audible. Worst: the training set's mean frame.",
    ),
    "reconstruction.lsd": Meaning(
        RECONSTRUCTION,
        "log-spectral distance (dB)",
        LOWER,
        "Frame by frame. A band far below the others counts as much as the loudest. Worst: the mean frame.",
    ),
    "use.use_of_v": Meaning(
        USE,
        "sensitivity to v relative to z",
        None,
        "Change of the output when v is exchanged / when z is. 0: the decoder ignores v. Blind to what the change is.",
    ),
    "use.other": Meaning(USE, "relative rise of the error with another v", HIGHER, "0: the decoder ignores v."),
    "use.zero": Meaning(
        USE,
        "relative rise of the error with v = 0",
        HIGHER,
        _ZERO,
    ),
    "use.active_v": Meaning(USE, "active dimensions of v, of {v}", None, _ACTIVE),
    "use.active_z": Meaning(USE, "active dimensions of z, of {z}", None, _ACTIVE),
    "kl.v": Meaning(USE, "KL of v from its prior (nats)", None, _KL_V),
    "kl.z": Meaning(USE, "KL of z from the transition (nats a frame)", None, _KL_Z),
    "leakage.same_instrument": Meaning(LEAKAGE, "melody carried by v to the output", LOWER, _CARRIED),
    "leakage.instrument_z": Meaning(LEAKAGE, "instrument read in z (over time)", LOWER, _LEAK),
    "leakage.instrument_frame": Meaning(LEAKAGE, "instrument read in z (single frames)", LOWER, _LEAK),
    "leakage.instrument_v": Meaning(LEAKAGE, "instrument read in v", HIGHER, _CONTROL),
    "leakage.melody_v": Meaning(LEAKAGE, "melody read in v (mean of {labels} labels)", LOWER, _LEAK),
    "leakage.melody_z": Meaning(LEAKAGE, "melody read in z (mean of {labels} labels)", HIGHER, _CONTROL),
    "leakage.gap_static": Meaning(LEAKAGE, "instrument: information gap I(v; y) - I(z; y)", HIGHER, _GAP),
    "leakage.gap_dynamic": Meaning(
        LEAKAGE,
        "melody: information gap I(z; y) - I(v; y) (mean)",
        HIGHER,
        _GAP,
    ),
    "frechet.half_split": Meaning(DISTANCE, "two halves of the real sequences", LOWER, _HALVES),
    "frechet.reconstruction": Meaning(DISTANCE, "reconstructions", LOWER, _DISTANCE),
    "frechet.global": Meaning(DISTANCE, "global swaps", LOWER, _DISTANCE),
    "frechet.local": Meaning(DISTANCE, "local swaps", LOWER, _DISTANCE),
    "frechet.generated_prior": Meaning(DISTANCE, "generated, v from N(0, I)", LOWER, _DRAWN),
    "frechet.generated_mixture": Meaning(DISTANCE, "generated, v from the mixture of real codes", LOWER, _DRAWN),
    "factors.mig": Meaning(FACTORS, "mutual information gap", HIGHER, _FACTOR),
    "factors.modularity": Meaning(FACTORS, "modularity", HIGHER, _FACTOR),
    "factors.sap": Meaning(FACTORS, "attribute predictability gap (SAP)", HIGHER, f"{_FACTOR} Best is 1 - chance."),
    "factors.disentanglement": Meaning(FACTORS, "DCI disentanglement", HIGHER, _FACTOR),
    "factors.completeness": Meaning(FACTORS, "DCI completeness", HIGHER, _FACTOR),
    "factors.informativeness": Meaning(FACTORS, "DCI informativeness", HIGHER, _FACTOR),
}
