#!/usr/bin/env node
import { runProgram } from './program.js';

const code = await runProgram(process.argv.slice(2), process);
// What was said must have left; what still listens or waits is of no use to anybody now.
await Promise.all(
  [process.stdout, process.stderr].map((stream) => new Promise((said) => stream.write('', said))),
);
process.exit(code);
