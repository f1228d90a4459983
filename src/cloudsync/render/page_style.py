"""How the page of plan_html.py looks: on paper, on a phone, by day and by night. No colour is the only sign."""

STYLE = """\
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#57606a;--paper:#fff;--line:#d0d7de;--tint:#f6f8fa;
--new:#1a7f37;--gone:#cf222e;--changed:#7d4e00}
*{box-sizing:border-box}
body{margin:0 auto;padding:1.5rem;max-width:72rem;background:var(--paper);color:var(--ink);
font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.6rem;line-height:1.25;margin:0 0 .5rem}h2{font-size:1.15rem;margin:2rem 0 .5rem}p{margin:.4rem 0}
code{font:.92em ui-monospace,monospace;background:var(--tint);padding:.1em .3em;border-radius:4px}
.sides,.more,figcaption{color:var(--soft)}
.totals{font-weight:600;font-size:1.1rem;border:1px solid var(--line);border-left:.4rem solid var(--soft);
border-radius:6px;padding:.6rem .9rem}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
table{border-collapse:collapse;width:100%;font-size:.92rem}
th,td{text-align:left;vertical-align:top;padding:.35rem .7rem;border-bottom:1px solid var(--line)}
thead th{background:var(--tint);color:var(--soft);font-weight:600;white-space:nowrap}
tbody th{font-weight:600;min-width:11rem}
.kind{white-space:nowrap;color:var(--soft)}b.new{color:var(--new)}b.gone{color:var(--gone)}b.changed{color:var(--changed)}
figure{margin:0}.scroll{overflow-x:auto;border:1px solid var(--line);border-radius:6px}.scroll svg{display:block}
@media (max-width:44rem){body{padding:1rem}table,thead,tbody,tr,th,td{display:block}
thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
tr{padding:.5rem 0;border-bottom:1px solid var(--line)}th,td{border:0;padding:.1rem 0}
tbody th{min-width:0}td[data-column]::before{content:attr(data-column) ': ';color:var(--soft)}}
@media screen and (prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9da7b3;--paper:#0d1117;--line:#30363d;
--tint:#161b22;--new:#3fb950;--gone:#f85149;--changed:#d29922}}
@page{size:A4;margin:14mm}
@media print{:root{color-scheme:light}body{padding:0;max-width:none;font-size:10.5pt}table{font-size:9pt}
thead{display:table-header-group}tr,figure,header,.totals{break-inside:avoid}h2{break-after:avoid}
.scroll{overflow:visible;border:0}.scroll svg{width:auto;height:auto;max-width:100%;max-height:205mm}
code,thead th,.totals,.band,.node,.rail{-webkit-print-color-adjust:exact;print-color-adjust:exact}}"""
