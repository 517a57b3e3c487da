/**
 * Has V8 think longer before it optimises a function. A download of 1 GiB takes two seconds; with the default budget V8
 * spent 1.0 s of processor time in them on optimising code that then ran for 0.2 s, on threads that took the place of
 * hashing and copying. Measured: 15 % less processor time for such a `get`; what runs for minutes is optimised all the same.
 *
 * For commands that end soon; a daemon, which pays for optimising once, is better off without.
 */
import { setFlagsFromString } from 'node:v8';

/** Bytecodes, weighted, that a function runs before it is considered; ten times V8's default. */
setFlagsFromString('--interrupt-budget=1320000');
