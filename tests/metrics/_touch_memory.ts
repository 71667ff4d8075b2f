import { processRssBytes } from "../../lib/metrics/mod.ts";

const before = processRssBytes();
const block = new Uint8Array(64 * 1024 * 1024).fill(1);
// Read again, so that nothing may leave the block out.
console.log(block.at(-1) === 1 ? processRssBytes() - before : 0);
