import { expect } from 'chai';
import { insidePath, leadsOut } from '../../src/base/inside-path.js';

describe('paths that others wrote', () => {
  it('may lead into folders', () => {
    for (const path of ['a.json', 'a/b.json', '.hidden', 'a..b/c', 'ä 😀']) {
      expect(leadsOut(path), path).to.equal(false);
    }
  });

  it('may not lead out, nor be what no system takes', () => {
    const outside = ['../a', 'a/../../b', '/etc/passwd', 'C:/a', '..\\a', 'a\\b', 'a\0', 'x'.repeat(256)];
    for (const path of outside) {
      expect(leadsOut(path), path).to.equal(true);
      expect(insidePath.safeParse(path).success, path).to.equal(false);
    }
  });
});
