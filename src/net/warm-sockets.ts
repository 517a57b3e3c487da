/**
 * Spares each socket the cost of shapes that nobody shares.
 *
 * The constructor of `Socket` copies its options by spread and then adds to the copy. V8 11 (Node 20) gives a copy of
 * options that all have one shape a shape without a place in the tree of shapes, so that each addition to each copy
 * makes a new shape: 5 us a socket, and 1.5 kB that only a full collection frees. Once a constructor has seen more shapes
 * than V8 tells apart (four), copies are made the plain way and share theirs: 0.4 us, and nothing left behind.
 *
 * It lasts while no socket is made for hours: full collections drop what V8 has seen in idle functions only while they are
 * interpreted, and four of the rounds below have this one compiled.
 */
import { Socket, type SocketConstructorOpts } from 'node:net';

/** More than V8 tells apart. */
const SHAPES = ['a', 'b', 'c', 'd', 'e'];
/** V8 begins to tell shapes apart after a few calls; all of these take two milliseconds. */
const ROUNDS = 20;

/** Shows the constructor of `Socket` several shapes of options; before the first connection, in each thread that has many. */
export function warmSockets(): void {
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const shape of SHAPES) new Socket({ [shape]: true } as SocketConstructorOpts);
  }
}
