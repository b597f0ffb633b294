import { KINDS } from './file/kinds.js';
import { makeCase, writeCase } from './file/case.js';
import { judge } from './file/judge.js';
import { mkdirSync, rmSync } from 'node:fs';
const root = `/tmp/prof-case-${process.pid}`;
for (const kind of KINDS) {
  let make = 0, read = 0, cpu = 0; const slow: [number, number][] = [];
  const N = 60;
  for (let n = 0; n < N; n++) {
    if (kind.name === 'text' && n===174) continue;
    const c0 = process.cpuUsage();
    let t = performance.now();
    const c = makeCase(kind, 7, n); const folder = `${root}/${kind.name.replace(/\W/g,'')}${n}`; mkdirSync(folder, {recursive:true}); writeCase(c, folder);
    make += performance.now() - t; t = performance.now();
    await judge(kind, folder, c.sound); const d = performance.now() - t; read += d; slow.push([d, n]);
    rmSync(folder, {recursive:true});
    const u = process.cpuUsage(c0); cpu += (u.user + u.system) / 1000;
  }
  slow.sort((a,b)=>b[0]-a[0]);
  console.log(kind.name.padEnd(22), 'make', (make / N).toFixed(1), 'read', (read / N).toFixed(1), 'cpu', (cpu/N).toFixed(1), slow.slice(0,3).map(([d,n])=>`${n}:${d.toFixed(0)}`).join(' '));
}
