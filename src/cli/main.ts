#!/usr/bin/env node
import { StopRequest } from './stop-request.js';

// Before anything that takes time to load: a signal in the first tenths of a second is a request like any other.
const stop = new StopRequest();
stop.listenTo(process);
const { runProgram } = await import('./program.js');
const code = await runProgram(process.argv.slice(2), process, stop);
// What was said must have left; what still listens or waits is of no use to anybody now.
await Promise.all(
  [process.stdout, process.stderr].map((stream) => new Promise((said) => stream.write('', said))),
);
process.exit(code);
