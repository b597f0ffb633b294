import { KINDS } from './file/kinds.js';
import { judge } from './file/judge.js';
const [,, name, folder] = process.argv;
const kind = KINDS.find((k) => k.name === name)!;
const t = performance.now();
console.log(await judge(kind, folder!, false), performance.now() - t);
