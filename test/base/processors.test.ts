import { availableParallelism } from 'node:os';
import { expect } from 'chai';
import { processorLimit, processors } from '../../src/base/processors.js';

const limitOf = (files: Readonly<Record<string, string>>): number | undefined =>
  processorLimit((path) => files[path]);

describe('processors', () => {
  it('are at least one, and no more than the system shows', () => {
    expect(processors()).to.be.within(1, availableParallelism());
    expect(processors()).to.satisfy(Number.isInteger);
  });

  it('are not limited where no control group does so', () => {
    expect(limitOf({})).to.equal(undefined);
    expect(limitOf({ '/proc/self/cgroup': '0::/\n' })).to.equal(undefined);
    expect(limitOf({ '/proc/self/cgroup': '' })).to.equal(undefined);
    expect(limitOf({ '/proc/self/cgroup': 'nonsense\n0::/x' })).to.equal(undefined);
    expect(limitOf({ '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': 'max 100000\n' })).to.equal(
      undefined,
    );
    expect(
      limitOf({
        '/proc/self/cgroup': '1:cpu:/\n',
        '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
        '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
      }),
    ).to.equal(undefined);
    for (const text of ['', '0 0', '0 100000', '100000', 'x y', '-5 100000']) {
      const files = { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': text };
      expect(limitOf(files), text).to.equal(undefined);
    }
  });

  it('are limited by cpu.max of version 2, rounded up', () => {
    for (const [text, expected] of [
      ['100000 100000\n', 1],
      ['200000 100000\n', 2],
      ['150000 100000\n', 2],
      ['1000 100000\n', 1],
      ['50000 25000\n', 2],
    ] as const) {
      const files = { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': text };
      expect(limitOf(files), text).to.equal(expected);
    }
  });

  it('are limited by the tightest of the groups above too', () => {
    expect(
      limitOf({
        '/proc/self/cgroup': '0::/user.slice/job/step\n',
        '/sys/fs/cgroup/user.slice/job/step/cpu.max': 'max 100000',
        '/sys/fs/cgroup/user.slice/job/cpu.max': '300000 100000',
        '/sys/fs/cgroup/user.slice/cpu.max': '800000 100000',
      }),
    ).to.equal(3);
  });

  it('are limited by quota and period of version 1, wherever it is mounted', () => {
    for (const [line, folder] of [
      ['1:cpu:/', '/sys/fs/cgroup/cpu'],
      ['4:cpu,cpuacct:/docker/1f', '/sys/fs/cgroup/cpu,cpuacct/docker/1f'],
      ['4:cpu,cpuacct:/docker/1f', '/sys/fs/cgroup/cpu'], // the container's own group is its root
      ['4:cpuacct,cpu:/../a', '/sys/fs/cgroup/cpu/a'],
    ] as const) {
      const files = {
        '/proc/self/cgroup': `5:memory:/m\n${line}\n3:cpuset:/\n0::/\n`,
        [`${folder}/cpu.cfs_quota_us`]: '250000\n',
        [`${folder}/cpu.cfs_period_us`]: '100000\n',
      };
      expect(limitOf(files), folder).to.equal(3);
    }
    expect(
      limitOf({ '/proc/self/cgroup': '3:cpuset:/\n', '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '100000' }),
    ).to.equal(undefined);
  });
});
