import { paletteCss } from "./palette.ts";

/** The look of a report: one file, no font and no script to fetch; light, dark, print and phone. */
export const PAGE_STYLE = `
:root{color-scheme:light dark;${paletteCss("light")}}
@media (prefers-color-scheme:dark){:root{${paletteCss("dark")}}}
*{box-sizing:border-box}
body{margin:0;background:var(--weir-page);color:var(--weir-ink);
  font:15px/1.5 Inter,system-ui,-apple-system,"Segoe UI",Roboto,Helvetica,Arial,sans-serif;overflow-wrap:anywhere}
main{max-width:1000px;margin:0 auto;padding:20px 16px 48px}
h1{font-size:1.35rem;margin:0;line-height:1.25}
h2{font-size:1.15rem;margin:36px 0 10px}
h3{font-size:1rem;margin:0 0 6px}
p{margin:0 0 8px}
a{color:var(--weir-produce)}
.muted{color:var(--weir-muted)}
.head{display:flex;flex-wrap:wrap;gap:4px 16px;justify-content:space-between;align-items:baseline;margin-bottom:14px}
.card{background:var(--weir-surface);border:1px solid var(--weir-line);border-radius:10px;padding:14px 16px;margin:0 0 14px}
.verdict{border-left:8px solid var(--tone);padding:16px 18px}
.verdict strong{display:block;font-size:2rem;line-height:1.1;letter-spacing:.03em;color:var(--tone)}
.verdict ul{margin:8px 0 0;padding-left:20px}
.verdict .headline{font-size:1.1rem;margin:8px 0 0}
.warn{border:2px dashed var(--weir-void);--tone:var(--weir-void)}
.warn h2,.warn h3{margin:0 0 6px;color:var(--weir-void)}
.tiles{display:grid;grid-template-columns:repeat(4,1fr);gap:10px;margin:0 0 14px;padding:0;list-style:none}
.tile{background:var(--weir-surface);border:1px solid var(--weir-line);border-radius:10px;padding:10px 14px}
.tile .label{display:block;font-size:.83rem;color:var(--weir-muted)}
.tile .value{display:block;font-size:1.4rem;font-weight:600;line-height:1.3;font-variant-numeric:tabular-nums}
.tile .value.bad{color:var(--weir-fail)}
.tile .value.void{color:var(--weir-void)}
.tile .detail{display:block;font-size:.83rem;color:var(--weir-muted)}
figure{margin:0 0 14px;break-inside:avoid}
figure svg{display:block;width:100%;height:auto}
figure .narrow{display:none}
figcaption{font-size:.83rem;color:var(--weir-muted);margin-top:4px}
.scroll{overflow-x:auto;position:relative;overflow-wrap:break-word}
.scroll th[scope=row]{min-width:6em}
.scroll td.text{min-width:9em}
.scroll:focus-visible{outline:2px solid var(--weir-produce);outline-offset:2px}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
caption{text-align:left;font-weight:600;padding:0 0 6px}
th,td{text-align:left;padding:5px 14px 5px 0;border-bottom:1px solid var(--weir-line);vertical-align:top}
th:last-child,td:last-child{padding-right:0}
th.number+th.text,td.number+td.text{padding-left:16px}
caption.quiet{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);padding:0}
.card>:last-child{margin-bottom:0}
th{font-weight:600}
thead th{color:var(--weir-muted);font-size:.83rem;border-bottom-width:2px}
td.number,th.number{text-align:right;white-space:nowrap;overflow-wrap:normal}
tbody th{font-weight:500}
tr:last-child>*{border-bottom:0}
.swatch{display:inline-block;width:.7em;height:.7em;border-radius:2px;margin-right:.5em;background:var(--tone)}
.name{white-space:nowrap}
.small{font-size:.83rem;margin-top:8px}
.tag{display:inline-block;font-weight:700;color:var(--tone)}
code{font:0.92em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.columns{display:grid;grid-template-columns:1fr 1fr;gap:0 14px}
@media (max-width:640px){
  main{padding:12px 10px 32px}
  figure .wide{display:none}
  figure .narrow{display:block}
  .columns{grid-template-columns:1fr}
  .tiles{grid-template-columns:1fr 1fr}
  .card{padding:12px}
  .tile .value{font-size:1.2rem}
  table{font-size:.85rem}
  th,td{padding-right:8px}
}
@media print{
  :root{${paletteCss("light")};--weir-page:#fff}
  body{font-size:11pt}
  main{max-width:none;padding:0}
  figure .wide{display:block}
  figure .narrow{display:none}
  figure.card{padding:6px 10px;margin-bottom:8px}
  figure svg{max-height:58mm}
  h2{break-after:avoid}
  .card,.tile,table{break-inside:avoid}
  .verdict strong{-webkit-print-color-adjust:exact;print-color-adjust:exact}
}
@page{margin:14mm}
`.trim();
