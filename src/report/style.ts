/** The style sheet of the page; figures stay on white in the dark as well. */
export const STYLE = `
:root { color-scheme: light dark; --text: #1f2937; --quiet: #5b6472; --line: #e3e6ea; --page: #f7f8fa; --card: #fff; --mark: #fff3e0; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e5e7eb; --quiet: #a3abb8; --line: #323a47; --page: #12161d; --card: #1b212b; --mark: #47341a; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.55 system-ui, "DejaVu Sans", sans-serif; }
main { max-width: 1200px; margin: 0 auto; padding: 2.2rem 1.25rem 4rem; }
h1 { font-size: clamp(1.35rem, 1.1rem + 1.2vw, 1.8rem); line-height: 1.25; margin: 0 0 .9rem; letter-spacing: -.01em; }
h2 { font-size: 1.15rem; margin: 2.4rem 0 .8rem; }
h3 { font-size: 1rem; margin: 1.6rem 0 .6rem; }
p { margin: .5rem 0; max-width: 80ch; }
.quiet { color: var(--quiet); font-size: .9rem; }
dl.facts { display: flex; flex-wrap: wrap; gap: .4rem 2rem; margin: 0; }
dl.facts div { min-width: 0; }
dt { color: var(--quiet); font-size: .8rem; }
dd { margin: 0; font-weight: 600; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .92rem; }
th, td { padding: .55rem .85rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
tr:last-child td, tr:last-child th { border-bottom: 0; }
thead th { color: var(--quiet); font-weight: 600; font-size: .85rem; border-bottom: 1px solid var(--line) !important; }
th:first-child, td:first-child, .words { text-align: left; }
tbody th { font-weight: 600; position: sticky; left: 0; background: var(--card); white-space: normal; overflow-wrap: anywhere; min-width: 10rem; max-width: 18rem; }
.settings th, .settings td, .runs th, .runs td { font-size: .82rem; padding: .35rem .85rem; }
.settings td { text-align: left; font-family: ui-monospace, "DejaVu Sans Mono", monospace; }
.settings thead th { text-align: left; }
.settings tr.differs > * { background: var(--mark); }
.figures { display: grid; gap: 1.25rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 480px), 1fr)); align-items: start; }
figure { margin: 0; background: #fff; color: #1f2937; border: 1px solid var(--line); border-radius: 10px; padding: .4rem; }
figure svg { width: 100%; height: auto; display: block; }
figcaption { padding: .2rem .8rem .7rem; font-size: .88rem; line-height: 1.5; color: #4b5563; }
details { margin-top: 1.2rem; }
summary { cursor: pointer; font-weight: 600; }
details > .scroll, details > h3 { margin-top: .8rem; }
ul { margin: .5rem 0; padding-left: 1.2rem; }
li { overflow-wrap: anywhere; }
@media (max-width: 600px) { main { padding: 1.3rem .8rem 3rem; } th, td { padding: .5rem .6rem; } tbody th { max-width: 40vw; } }
@media print { body { background: #fff; } figure { break-inside: avoid; } }
`;
