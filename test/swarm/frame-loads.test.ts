import assert from 'node:assert/strict';
import { it } from 'node:test';
import { UploadRig } from './upload-rig.js';

it('a file is left when nothing reads it any more, and who waited for memory is turned away', async () => {
  // Room for two frames of 4,000 B.
  const rig = new UploadRig({}, 65_536);
  const held = [];
  while (rig.cache.acquire(8_192) !== null) held.push(0);
  assert.ok(held.length > 0);
  const waiting = await rig.ask(0);
  assert.equal(rig.upload.stats().loading, 1);
  let isLeft = false;
  void rig.loads.leave(rig.id).then(() => {
    isLeft = true;
  });
  await rig.settle();
  assert.equal(isLeft, true);
  rig.assertRefused(waiting, { unreadable: 1 });
});

it('a file is not left while a part of it is being read', async () => {
  const rig = new UploadRig();
  rig.hold();
  const served = await rig.ask(2);
  let isLeft = false;
  const left = rig.loads.leave(rig.id).then(() => {
    isLeft = true;
  });
  await rig.settle();
  assert.equal(isLeft, false);
  await rig.letGo();
  await left;
  await rig.assertGiven(served, 2);
  rig.assertIdle();
});

it('a file is left while others read it anew', async () => {
  const rig = new UploadRig();
  rig.hold();
  const served = await rig.ask(2);
  let isLeft = false;
  void rig.loads.leave(rig.id).then(() => {
    isLeft = true;
  });
  const isRead = rig.letGo();
  rig.hold();
  const later = await rig.ask(3);
  await isRead;
  assert.equal(rig.upload.stats().loading, 1);
  assert.equal(isLeft, true);
  await rig.letGo();
  await rig.assertGiven(served, 2);
  await rig.assertGiven(later, 3);
  rig.assertIdle();
});
