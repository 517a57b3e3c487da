import type { CommandName } from '../daemon/settings.js';
import type { CommandModule } from './invocation.js';

/** `syntax` is in commander's notation. */
export interface Word {
  readonly syntax: string;
  readonly help: string;
  readonly choices?: readonly string[];
}

interface CommandEntry<N extends CommandName> {
  readonly summary: string;
  /** What it takes beside flags. */
  readonly words?: readonly Word[];
  /** Loads the command's own code only: start-up time counts. */
  load(): Promise<CommandModule<N>>;
}

/** The commands, in the order of the help. */
export const COMMANDS: { readonly [N in CommandName]: CommandEntry<N> } = {
  start: {
    summary: 'tracker and daemon in one process',
    load: () => import('./start.js'),
  },
  tracker: {
    summary: 'tell peers who owns which parts of which files',
    load: () => import('./tracker.js'),
  },
  daemon: {
    summary: 'share folders until stopped',
    load: () => import('./daemon.js'),
  },
  share: {
    summary: 'share files until stopped; prints their magnet links',
    words: [{ syntax: '<file...>', help: 'files to share' }],
    load: () => import('./share.js'),
  },
  search: {
    summary: 'list the files whose names contain a text',
    words: [{ syntax: '<text>', help: "part of a name, the first 8 digits or more of an MD5, or '*'" }],
    load: () => import('./search.js'),
  },
  get: {
    summary: 'download a file and verify it',
    words: [{ syntax: '<wanted>', help: 'magnet link, MD5 or name' }],
    load: () => import('./get.js'),
  },
  top: {
    summary: 'watch a running daemon: files, peers, slots and rates',
    load: () => import('./top.js'),
  },
  status: {
    summary: 'what a running daemon does, and what it lacks',
    load: () => import('./status.js'),
  },
  ls: {
    summary: 'list the files of a running daemon',
    words: [{ syntax: '[text]', help: 'part of a name' }],
    load: () => import('./ls.js'),
  },
  add: {
    summary: 'have a running daemon download a file, or share one of its machine',
    words: [{ syntax: '<what>', help: 'magnet link or MD5 to download, path to share' }],
    load: () => import('./add.js'),
  },
  rm: {
    summary: 'have a running daemon forget a file',
    words: [{ syntax: '<file>', help: 'MD5 or name' }],
    load: () => import('./rm.js'),
  },
  verify: {
    summary: 'check that a file on this machine has an MD5',
    words: [
      { syntax: '<file>', help: 'file to read' },
      { syntax: '<md5>', help: 'the MD5 it should have, or a magnet link' },
    ],
    load: () => import('./verify.js'),
  },
  bench: {
    summary: 'measure this machine',
    words: [
      {
        syntax: '<what>',
        help: 'what to measure',
        choices: ['hash', 'transfer', 'tracker', 'http', 'search'],
      },
    ],
    load: () => import('./bench.js'),
  },
  simulate: {
    summary: 'try the policies on a swarm, or on a network of trackers, of any size, on virtual time',
    words: [{ syntax: '<what>', help: 'what to simulate', choices: ['swarm', 'search'] }],
    load: () => import('./simulate.js'),
  },
  doctor: {
    summary: 'what is wrong with this set-up, and the fix',
    load: () => import('./doctor.js'),
  },
};
