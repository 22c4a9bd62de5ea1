"""How the paper looks: A4, black on white, nothing from elsewhere."""

from __future__ import annotations

STYLE = """
@page { size: A4; margin: 15mm 14mm 18mm;
  @bottom-right { content: counter(page) " / " counter(pages); font-size: 8pt } }
* { box-sizing: border-box }
body { font: 10.5pt/1.35 "Liberation Sans", Arial, sans-serif; color: #000; background: #fff; margin: 0 auto;
  max-width: 190mm; padding: 4mm }
h1 { font-size: 17pt; margin: 0 0 1mm } h2 { font-size: 13pt; border-bottom: 1.5pt solid #000; margin: 6mm 0 2mm }
h3 { font-size: 11.5pt; margin: 4mm 0 1mm } h4, h5 { font-size: 10.5pt; margin: 3mm 0 1mm }
h2, h3, h4, h5 { break-after: avoid } p { margin: .6mm 0 }
body > input { position: absolute; opacity: 0 }
nav { display: flex; gap: 2mm; margin-bottom: 4mm }
nav label { border: 1px solid #000; padding: 1mm 3mm; cursor: pointer }
.id, .how, .h, .rule { font-size: 9pt } .h { font-style: italic }
.skip { font-size: 9pt; font-weight: bold; background: #e6e6e6; padding: .5mm 1.5mm; print-color-adjust: exact }
.skip::before { content: "\\25B6\\00A0" }
.question, .note { border-top: .4pt solid #999; padding: 1.8mm 0 2.2mm; break-inside: avoid }
.note .t { font-style: italic; border-left: 2pt solid #000; padding-left: 2mm }
.t { font-size: 11pt } .n { display: inline-block; min-width: 9mm }
.question > :not(.t):not(.skip) { margin-left: 9mm }
code { font: 7.5pt "Liberation Mono", monospace; color: #444 }
i.b { display: inline-block; width: 5.5mm; height: 6.5mm; border: .8pt solid #000; margin-right: -.8pt;
  vertical-align: middle }
i.o, i.q { display: inline-block; width: 3.6mm; height: 3.6mm; border: .9pt solid #000; vertical-align: -.4mm;
  margin-right: 1mm }
i.o { border-radius: 50% }
i.w { display: inline-block; width: 42mm; border-bottom: .8pt solid #000; height: 6mm } i.long { width: 100% }
.a { margin-top: 1.5mm } .a i.long:not(:only-child) { width: 90mm } .s { display: inline-block; margin-right: 4mm }
ul { list-style: none; padding: 0; margin: 1mm 0 } ul.two { columns: 2 } li { break-inside: avoid; margin: .8mm 0 }
section.copy { border: .8pt solid #000; padding: 0 3mm 2mm; margin: 3mm 0 } section.copy > :first-child { border: 0 }
table { border-collapse: collapse; width: 100% }
td, th { border: .5pt solid #777; padding: .8mm 1.5mm; text-align: left }
table.head td { height: 13mm; vertical-align: top; font-size: 8pt; width: 25% } table.list { font-size: 9pt }
tr { break-inside: avoid } section:not(.end) + section.end { break-before: page }
@media print { nav, body > input { display: none } body { padding: 0; max-width: none } }
"""
"""Colour alone says nothing; boxes are drawn, so that no font is needed for them."""


def shown(count: int) -> str:
    """The rules that show the language chosen, or all of them one below the other; none is needed for one."""
    if count < 2:
        return ""
    rules = [".l { display: none }"]
    for number in range(count):
        rules.append(f"#c{number}:checked ~ main .l{number}, #c{number}:checked ~ nav .l{number} {{ display: inline }}")
        rules.append(f"#c{number}:checked ~ nav label[for=c{number}] {{ background: #000; color: #fff }}")
    every = f"#c{count}:checked"
    rules.append(f"{every} ~ main .l {{ display: inline }} {every} ~ nav .l0 {{ display: inline }}")
    rules.append(f"{every} ~ main .l + .l::before {{ content: ' / '; font-weight: normal }}")
    rules.append(f"{every} ~ nav label[for=c{count}] {{ background: #000; color: #fff }}")
    return "\n".join(rules)
