# SPDX-License-Identifier: Apache-2.0
"""What was measured, as numbers, as a Markdown table and as a page of its own. Needs nothing but Python."""
import html
import statistics


def quantile(values, share):
    """The value that `share` of the others are below, nearest rank."""
    ordered = sorted(values)
    return ordered[int(share * (len(ordered) - 1) + 0.5)]


def summary(milliseconds):
    """Of one number a round."""
    return {
        "ms": statistics.median(milliseconds),
        "p10": quantile(milliseconds, 0.1),
        "p90": quantile(milliseconds, 0.9),
        "min": min(milliseconds),
        "rounds_ms": milliseconds,
    }


def title_of(setting):
    threads = setting["threads"]
    return f"{setting['network']}, batch {setting['batch']}, {threads} thread{'s' if threads != 1 else ''}"


def rows_of(setting):
    """(name, contender, times as long as octavo), the quickest first."""
    octavo = setting["contenders"]["octavo-int8"]["ms"]
    quickest_first = sorted(setting["contenders"].items(), key=lambda item: item[1]["ms"])
    return [(name, contender, contender["ms"] / octavo) for name, contender in quickest_first]


def ms_text(milliseconds):
    """Three digits, or what there is before the point."""
    return f"{milliseconds:.{2 if milliseconds >= 1 else 4}f}" if milliseconds < 100 else f"{milliseconds:.0f}"


def fidelity_text(contender):
    """How far its answers are from octavo's fp32 ones."""
    if contender.get("db") is not None:
        return f"{contender['db']:.1f} dB"
    if contender.get("difference") is not None:
        return f"{contender['difference']:.0e} of the largest"
    return ""


def markdown(results):
    lines = [f"# {results['cpu']}", ""]
    for setting in results["settings"]:
        lines += [f"## {title_of(setting)}", ""]
        lines += ["| engine | median ms | 10% | 90% | least | times octavo | answers |", "|---|---|---|---|---|---|---|"]
        for name, c, ratio in rows_of(setting):
            figures = " | ".join(ms_text(c[key]) for key in ("ms", "p10", "p90", "min"))
            lines.append(f"| {name} | {figures} | {ratio:.2f} | {fidelity_text(c)} |")
        notes = [f"{name}: {c['note']}." for name, c, _ in rows_of(setting) if c["note"]]
        lines += ["", " ".join(notes)] if notes else []
        lines += [""] + [f"Left out: {name}: {why}" for name, why in sorted(setting["left_out"].items())]
        lines += [""] if setting["left_out"] else []
    lines.append(versions_text(results))
    return "\n".join(lines) + "\n"


def versions_text(results):
    versions = ", ".join(f"{name} {version}" for name, version in sorted(results["versions"].items()))
    return f"{versions}. {results['rounds']} interleaved rounds of {results['runs']} runs; a round's figure is its median."


STYLE = """
:root{color-scheme:light dark;--page:#fcfcfb;--ink:#14181f;--soft:#5b6472;--rule:#dfe2e6;
--octavo:#2a78d6;--int8:#eb6834;--fp32:#1baf7a}
@media(prefers-color-scheme:dark){:root{--page:#1a1a19;--ink:#f0f1f3;--soft:#a3abb8;--rule:#383835;
--octavo:#3987e5;--int8:#d95926;--fp32:#199e70}}
body{background:var(--page);color:var(--ink);font:15px/1.5 system-ui,sans-serif;max-width:56rem;margin:2rem auto;
padding:0 1rem}
h1{font-size:1.5rem}h2{font-size:1.1rem;margin:2.2rem 0 .6rem}p{color:var(--soft)}
.row{display:grid;grid-template-columns:13.5rem 1fr 11rem;gap:.8rem;align-items:center;padding:.2rem 0}
.bar{height:1.1rem;border-radius:2px;min-width:2px}.octavo{background:var(--octavo)}.int8{background:var(--int8)}
.fp32{background:var(--fp32)}
.figure{color:var(--soft);font-variant-numeric:tabular-nums;white-space:nowrap}
.key{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin:0 .4em 0 1em}.key:first-child{margin-left:0}
@media(max-width:40rem){.row{grid-template-columns:1fr auto;row-gap:0}.row .track{grid-column:1/-1;grid-row:2}}
"""


def kind_of(name, contender):
    if name == "octavo-int8":
        return "octavo"
    return "int8" if contender["quantized"] else "fp32"


def page(results):
    """One HTML file without anything from elsewhere."""
    body = [f"<h1>octavo and its peers</h1>\n<p>{html.escape(results['cpu'])}. {html.escape(versions_text(results))}</p>"]
    body.append(
        '<div><span class="key octavo"></span>octavo, 8 bits<span class="key int8"></span>others, 8 bits'
        '<span class="key fp32"></span>fp32</div>'
    )
    for setting in results["settings"]:
        rows = rows_of(setting)
        longest = max(contender["ms"] for _, contender, _ in rows)
        body.append(f"<h2>{html.escape(title_of(setting))}</h2>")
        for name, contender, ratio in rows:
            spread = f"{ms_text(contender['p10'])} to {ms_text(contender['p90'])} ms in 80% of the rounds"
            hover = html.escape(". ".join(filter(None, [name, spread, fidelity_text(contender), contender["note"]])))
            width = 100 * contender["ms"] / longest
            body.append(
                f'<div class="row" title="{hover}"><span>{html.escape(name)}</span><div class="track">'
                f'<div class="bar {kind_of(name, contender)}" style="width:{width:.1f}%"></div></div>'
                f'<span class="figure">{ms_text(contender["ms"])} ms, {ratio:.2f} times</span></div>'
            )
        for name, why in sorted(setting["left_out"].items()):
            body.append(f"<p>Left out: {html.escape(name)}: {html.escape(why)}</p>")
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width,initial-scale=1">\n'
        f"<title>octavo and its peers</title>\n<style>{STYLE}</style></head>\n<body>\n" + "\n".join(body) + "\n</body></html>\n"
    )
