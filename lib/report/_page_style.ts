import { paletteCss } from "./palette.ts";

/** The look of a report: one file, nothing to fetch; light, dark, print and phone. */
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
.plot{position:relative;touch-action:pan-y}
.plot[role=group]{cursor:crosshair;user-select:none;-webkit-user-select:none}
.plot:focus-visible,.legend button:focus-visible,.zoombar button:focus-visible{outline:2px solid var(--weir-produce);outline-offset:2px;border-radius:4px}
.cross{stroke:var(--weir-ink);stroke-width:1;pointer-events:none}
.tick{stroke:var(--weir-muted);stroke-width:1}
.band{fill:var(--weir-produce);fill-opacity:.15;pointer-events:none}
.legend{display:flex;flex-wrap:wrap;gap:2px 16px;margin:0 0 2px;padding:0;list-style:none;font-size:.87rem}
.legend button{font:inherit;color:inherit;background:none;border:0;padding:2px 0;cursor:pointer;min-height:24px}
.legend button[aria-pressed=false]{color:var(--weir-muted);text-decoration:line-through}
.legend button[aria-pressed=false] .key{opacity:.35}
.key{display:inline-block;width:22px;height:0;margin-right:7px;vertical-align:middle;border-top:3px solid var(--tone)}
.key[data-look=dotted]{border-top-style:dotted}
.key[data-look=step]{border-top-style:dashed;border-top-width:2px}
.key[data-look=area]{border-top-width:1.5px;height:9px;background:color-mix(in srgb,var(--tone) 25%,transparent)}
.key[data-look=bars]{width:4px;height:13px;border:0;background:var(--tone)}
.tip{position:absolute;z-index:2;pointer-events:none;background:var(--weir-surface);border:1px solid var(--weir-muted);
  border-radius:6px;padding:6px 10px;font-size:.8rem;line-height:1.45;font-variant-numeric:tabular-nums;white-space:nowrap;
  box-shadow:0 2px 8px #0003}
.tip strong{display:block}
.tip>span{display:flex;align-items:center}
.tip>span>span{flex:1}
.tip b{padding-left:14px;font-weight:600}
.tip[hidden]{display:none}
.zoombar{display:flex;flex-wrap:wrap;gap:4px 16px;justify-content:space-between;align-items:center;position:sticky;top:0;z-index:3;
  background:var(--weir-page);padding:4px 0 6px;min-height:40px;font-size:.87rem}
.zoombar[hidden]{display:none}
.zoombar button{font:inherit;font-weight:600;color:var(--weir-ink);background:var(--weir-surface);border:1px solid var(--weir-muted);
  border-radius:6px;padding:3px 12px;cursor:pointer;margin-left:8px}
.quiet{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);padding:0;margin:0}
figcaption{font-size:.83rem;color:var(--weir-muted);margin-top:4px}
.scroll{overflow-x:auto;position:relative;overflow-wrap:break-word}
.stacked th{width:36%}
.scroll{background:linear-gradient(90deg,var(--weir-surface) 40%,transparent) 0 0/40px 100% no-repeat local,
  linear-gradient(270deg,var(--weir-surface) 40%,transparent) 100% 0/40px 100% no-repeat local,
  linear-gradient(90deg,var(--weir-line),transparent) 0 0/12px 100% no-repeat scroll,
  linear-gradient(270deg,var(--weir-line),transparent) 100% 0/12px 100% no-repeat scroll}
.scroll th[scope=row]{min-width:6em}
.scroll td.text{min-width:9em}
.scroll:focus-visible{outline:2px solid var(--weir-produce);outline-offset:2px}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
caption{text-align:left;font-weight:600;padding:0 0 6px}
th,td{text-align:left;padding:5px 14px 5px 0;border-bottom:1px solid var(--weir-line);vertical-align:top}
th:last-child,td:last-child{padding-right:0}
th.number+th.text,td.number+td.text{padding-left:16px}
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
  .stacked th,.stacked td{display:block;width:auto;padding:0}
  .stacked th{border:0;padding-top:5px;font-size:.78rem;color:var(--weir-muted)}
  .stacked td{padding-bottom:5px}
}
@media print{
  :root{${paletteCss("light")};--weir-page:#fff}
  body{font-size:11pt}
  main{max-width:none;padding:0}
  figure .wide{display:block}
  figure .narrow{display:none}
  figure.card{padding:6px 10px;margin-bottom:8px}
  .zoombar,.tip,.cross{display:none}
  .key,.swatch{-webkit-print-color-adjust:exact;print-color-adjust:exact}
  .scroll{background:none}
  figure svg{max-height:58mm}
  figure[data-panels] svg{max-height:76mm}

  h2{break-after:avoid}
  .card,.tile,table,tr{break-inside:avoid}
  .card:has(>.stacked),.stacked{break-inside:auto}
  .verdict strong{-webkit-print-color-adjust:exact;print-color-adjust:exact}
}
@page{margin:14mm}
`.trim();
