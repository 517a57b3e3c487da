import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PeerNames } from '../../src/swarm/peer-names.js';

describe('the names of peers', () => {
  it('are IPv4 addresses and the /64 of IPv6 ones', () => {
    const names = new PeerNames();
    assert.equal(names.of('10.0.0.1'), '10.0.0.1');
    assert.equal(names.of('fd77::1'), names.of('fd77::2'));
    assert.notEqual(names.of('fd77::1'), names.of('fd77:0:0:1::1'));
  });

  it('are one for the halves of an address', () => {
    const names = new PeerNames();
    assert.equal(names.named({ v4: '10.0.0.1', v6: 'fd77::1' }), '10.0.0.1');
    assert.equal(names.of('fd77::1'), '10.0.0.1');
    assert.equal(names.named({ v4: null, v6: 'fd77::9' }), '10.0.0.1');
    assert.equal(names.named({ v4: null, v6: null }), null);
  });

  it('do not change when a second address claims the /64', () => {
    const names = new PeerNames();
    names.named({ v4: '10.0.0.1', v6: 'fd77::1' });
    assert.equal(names.named({ v4: '10.0.0.2', v6: 'fd77::2' }), '10.0.0.2');
    assert.equal(names.of('fd77::2'), '10.0.0.1');
  });

  it('are forgotten, those seen longest ago first', () => {
    const names = new PeerNames();
    const v6 = (n: number) => `fd77:0:0:${n.toString(16)}::1`;
    for (let n = 0; n <= 4_096; n++) names.named({ v4: `10.0.${n >> 8}.${n & 255}`, v6: v6(n) });
    assert.equal(names.of(v6(0)), 'fd77:0:0:0::/64');
    assert.equal(names.of(v6(1)), '10.0.0.1');
  });
});
