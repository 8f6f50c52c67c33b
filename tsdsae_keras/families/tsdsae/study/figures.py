"""The figures of a study: scores by model, z_dim and seed, as box plots with every run a point."""

from tsdsae_keras.report.figures import BRIGHT, new_figure

MODELS = {"tsdsae": "TS-DSAE", "tsdsae-noreg": "TS-DSAE without regularisation", "dsae-f": "DSAE-f", "dsae": "DSAE"}
SHORT = {"tsdsae-noreg": "TS-DSAE\nno reg."}
COLUMNS = {"pre": "before the swap", "global": "after the global swap", "local": "after the local swap"}
JUDGES = {"own": "own encoder", "judge": "independent judge"}
DECODERS = {"frame": "frame by frame", "sequence": "enriched"}
OPTIMIZERS = {"adam": "Adam", "amsgrad": "AMSGrad"}
WIDTH = 8.4  # inches that the names of all models take side by side
MARKERS = "osD^vP*X"
LEVEL = {"color": "0.35", "linewidth": 1, "linestyle": ":"}


def study_figures(results):
    """The figures of a study, {file name: `matplotlib.figure.Figure`}.

    - ``f1.png``: macro-F1 before and after both swaps by z_dim and model, each judge and optimizer a row.
    - ``fad_f1.png``: Fréchet distance of global swaps against the independent judge's F1.
    - ``pitch.png``: pitch accuracy of both swaps by z_dim and model, what the vocoder leaves as a line.
    - ``decoder.png``: the frame-by-frame decoder against the enriched one, where runs of a model have both.
    - ``octave.png``: F1 of instrument and octave, where runs have both.

    Args:
        results: a dict a run, as the study records them; runs that failed are not among them. A score that is None is
            not drawn.
    """
    usual = [each for each in results if each["decoder"] == "frame"] or results
    found = {"f1.png": _f1(usual), "fad_f1.png": _distance_and_f1(results), "pitch.png": _pitch(usual)}
    both = _with_both_decoders(results)
    found |= {"decoder.png": _decoders(both)} if both else {}
    octave = [each for each in usual if each["scores"].get("octave")]
    return found | ({"octave.png": _octave(octave)} if octave else {})


def _with_both_decoders(results):
    """The runs whose model and z_dim were made with either decoder."""
    decoders = {}
    for each in results:
        decoders.setdefault((each["model"], each["z_dim"]), set()).add(each["decoder"])
    return [each for each in results if len(decoders[each["model"], each["z_dim"]]) > 1]


def _f1(results):
    optimizers = _sort_values(results, "optimizer", OPTIMIZERS)
    rows = [(optimizer, judge) for optimizer in optimizers for judge in JUDGES]
    figure, axes = _grid(results, len(rows), len(COLUMNS))
    _name_columns(axes, COLUMNS.values())
    for line, (optimizer, judge) in zip(axes, rows, strict=True):
        of = f"\n{OPTIMIZERS.get(optimizer, optimizer)}" if len(optimizers) > 1 else ""
        own = [each for each in results if each["optimizer"] == optimizer]
        for panel, column in zip(line, COLUMNS, strict=True):
            _by_model_and_z(panel, own, lambda each, j=judge, c=column: each["scores"][j][c])
            panel.set_ylim(-0.05, 1.05)
        line[0].set_ylabel(f"macro-F1, {JUDGES[judge]}{of}")
    return _finish(figure, axes, results)


def _pitch(results):
    octaves = any(len(each.get("octaves") or ()) > 1 for each in results)
    accuracies = {"pitch": "raw pitch accuracy"} | ({"chroma": "raw chroma accuracy"} if octaves else {})
    swaps = {"global": "global swap: the melody it must keep", "local": "local swap: the melody it must take"}
    figure, axes = _grid(results, len(accuracies), len(swaps))
    _name_columns(axes, swaps.values())
    for line, (accuracy, name) in zip(axes, accuracies.items(), strict=True):
        for panel, column in zip(line, swaps, strict=True):
            _by_model_and_z(panel, results, lambda each, a=accuracy, c=column: each["scores"][a][c])
            _level(panel, [each["scores"][accuracy]["original"] for each in results], "real sound through the vocoder")
            _level(panel, [each["scores"][accuracy]["other_melody"] for each in results], "another melody")
            panel.set_ylim(top=1.0)
        line[0].set_ylabel(name)
    return _finish(figure, axes, results)


def _distance_and_f1(results):
    figure = new_figure(7.6, 4.6)
    axes = figure.subplots()
    markers = dict(zip(_sort_values(results, "z_dim"), MARKERS * len(results), strict=False))
    for each in results:
        x, y = each["scores"]["frechet"]["global"], each["scores"]["judge"]["global"]
        if x is not None and y is not None:
            colour = _colour(each["model"])
            face = colour if each["decoder"] == "frame" else "none"
            axes.scatter(x, y, s=52, marker=markers[each["z_dim"]], edgecolors=colour, facecolors=face, alpha=0.85)
    if axes.collections:
        _log_scale(axes)
    axes.set(xlabel="Fréchet distance of global swaps from real sequences (log-mel)", ylim=(-0.05, 1.05))
    axes.set_ylabel("macro-F1 after the global swap, independent judge")
    _tidy(axes)
    handles = _model_keys(results) + [_key(f"z_dim {size}", "0.35", marker) for size, marker in markers.items()]
    if any(each["decoder"] != "frame" for each in results):
        handles.append(_key("enriched decoder", "0.35", "o", hollow=True))
    figure.legend(handles=handles, loc="outside right upper", frameon=False)
    return figure


def _decoders(results):
    measures = {
        "macro-F1 after the global swap,\nindependent judge": lambda each: each["scores"]["judge"]["global"],
        "Fréchet distance of global swaps": lambda each: each["scores"]["frechet"]["global"],
        "raw pitch accuracy, global swap": lambda each: each["scores"]["pitch"]["global"],
    }
    colours = {name: BRIGHT[place] for place, name in enumerate(DECODERS)}
    figure, axes = _grid(results, 1, len(measures), groups=len(_kinds(results)))
    for panel, (name, value) in zip(axes[0], measures.items(), strict=True):
        _boxes(panel, _kinds(results), colours, _collect(results, _kind, lambda each: each["decoder"], value))
        panel.set_ylabel(name)
        panel.set_ylim(bottom=0)
    keys = [_key(DECODERS[name], colour) for name, colour in colours.items()]
    figure.legend(handles=keys, loc="outside upper center", ncols=2, frameon=False, title="decoder")
    return figure


def _octave(results):
    scores = {("instrument", judge): lambda each, judge=judge: each["scores"][judge] for judge in JUDGES}
    scores |= {("octave", judge): lambda each, judge=judge: each["scores"]["octave"][judge] for judge in JUDGES}
    figure, axes = _grid(results, len(scores), len(COLUMNS))
    _name_columns(axes, COLUMNS.values())
    for line, ((factor, judge), value) in zip(axes, scores.items(), strict=True):
        for panel, column in zip(line, COLUMNS, strict=True):
            _by_model_and_z(panel, results, lambda each, v=value, c=column: v(each)[c])
            panel.set_ylim(-0.05, 1.05)
        line[0].set_ylabel(f"macro-F1 of the {factor},\n{JUDGES[judge]}")
    return _finish(figure, axes, results)


def _by_model_and_z(axes, results, value):
    """Boxes of one score: a group for each z_dim, in it a box for each model."""
    colours = {model: _colour(model) for model in _sort_values(results, "model", MODELS)}
    found = _collect(results, lambda each: each["z_dim"], lambda each: each["model"], value)
    _boxes(axes, {size: str(size) for size in _sort_values(results, "z_dim")}, colours, found)
    axes.set_xlabel("z_dim")


def _collect(results, group, series, value):
    """{(group, series): [value]} of what is not None, each found of a result by a function."""
    found = {}
    for each in results:
        number = value(each)
        if number is not None:
            found.setdefault((group(each), series(each)), []).append(number)
    return found


def _boxes(axes, groups, colours, values):
    """For every group, {group: label}, a box of each series, {series: colour}, and all its points."""
    width = 0.8 / max(1, len(colours))
    for place, group in enumerate(groups):
        for number, (name, colour) in enumerate(colours.items()):
            x = place + (number - (len(colours) - 1) / 2) * width
            found = values.get((group, name), [])
            if len(found) > 1:
                _box(axes, found, x, width * 0.8, colour)
            axes.plot([x] * len(found), found, "o", color=colour, markersize=5, markeredgecolor="white", zorder=3)
    axes.set_xticks(range(len(groups)), groups.values())
    axes.set_xlim(-0.6, len(groups) - 0.4)
    _tidy(axes)


def _box(axes, values, x, width, colour):
    lines = {name: {"color": colour} for name in ("whiskerprops", "capprops")}
    lines |= {"medianprops": {"color": colour, "linewidth": 2}}
    lines |= {"boxprops": {"facecolor": colour, "alpha": 0.3, "edgecolor": colour}}
    place = {"positions": [x], "widths": width, "manage_ticks": False}
    axes.boxplot(values, showfliers=False, whis=(0, 100), patch_artist=True, **place, **lines)


def _level(axes, values, text):
    values = [value for value in values if value is not None]
    if values:
        height = sum(values) / len(values)
        axes.axhline(height, **LEVEL)
        where = {"xycoords": ("axes fraction", "data"), "xytext": (4, 9), "textcoords": "offset points"}
        axes.annotate(text, (0.0, height), **where, fontsize=8, color="0.35")


def _grid(results, rows, columns, groups=None):
    groups = len(_sort_values(results, "z_dim")) if groups is None else groups
    figure = new_figure(max(WIDTH, columns * max(2.9, 0.9 + 0.75 * groups)), 0.7 + 2.7 * rows)
    return figure, figure.subplots(rows, columns, squeeze=False)


def _finish(figure, axes, results):
    for panel in axes[:-1].flat:
        panel.set_xlabel("")
    keys = _model_keys(results)
    figure.legend(handles=keys, loc="outside upper center", ncols=len(keys), frameon=False)
    return figure


def _name_columns(axes, titles):
    for panel, title in zip(axes[0], titles, strict=True):
        panel.set_title(title, fontsize=10)


def _log_scale(axes):
    from matplotlib.ticker import LogLocator, NullFormatter

    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())


def _tidy(axes):
    axes.grid(alpha=0.25, axis="y")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _kind(each):
    return each["model"], each["z_dim"]


def _kinds(results):
    """{(model, z_dim): label}, in the order of models."""
    return {
        (model, size): f"{SHORT.get(model, MODELS.get(model, model))}\nz {size}"
        for model in _sort_values(results, "model", MODELS)
        for size in _sort_values(results, "z_dim")
        if any(_kind(each) == (model, size) for each in results)
    }


def _sort_values(results, name, order=()):
    """The values that occur, in the order that is given, else from low to high."""
    found, order = {each[name] for each in results}, list(order)
    return sorted(found, key=lambda value: (order.index(value), "") if value in order else (len(order), value))


def _colour(model):
    return BRIGHT[list(MODELS).index(model)] if model in MODELS else BRIGHT[-1]


def _model_keys(results):
    return [_key(MODELS.get(model, model), _colour(model)) for model in _sort_values(results, "model", MODELS)]


def _key(label, colour, marker="s", hollow=False):
    from matplotlib.lines import Line2D

    face = "none" if hollow else colour
    return Line2D([], [], linestyle="", marker=marker, color=colour, markerfacecolor=face, markersize=8, label=label)
