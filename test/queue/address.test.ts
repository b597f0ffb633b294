import { expect } from 'chai';
import fc from 'fast-check';
import { UserError } from '../../src/base/errors.js';
import { parseRedisUrl, withoutPasswords } from '../../src/queue/address.js';

describe('the URL of a Redis', () => {
  it('names host, port and database, and has defaults', () => {
    expect(parseRedisUrl('redis://host', {})).to.deep.equal({
      options: { host: 'host', port: 6379, db: 0 },
      text: 'redis://host:6379/0',
    });
    expect(parseRedisUrl('redis://10.0.0.1:1234/7', {}).options).to.deep.equal({
      host: '10.0.0.1',
      port: 1234,
      db: 7,
    });
    expect(parseRedisUrl('redis://[::1]:1/', {}).options).to.include({ host: '::1', db: 0 });
  });

  it('asks for TLS with rediss', () => {
    expect(parseRedisUrl('rediss://host', {})).to.deep.equal({
      options: { host: 'host', port: 6379, db: 0, tls: {} },
      text: 'rediss://host:6379/0',
    });
  });

  it('holds user and password, or the environment does', () => {
    const env = { SPARK_EVAL_REDIS_USERNAME: 'u2', SPARK_EVAL_REDIS_PASSWORD: 'p2' };
    expect(parseRedisUrl('redis://u:p%40@host', env).options).to.include({ username: 'u', password: 'p@' });
    expect(parseRedisUrl('redis://:p@host', {}).options).to.not.have.property('username');
    expect(parseRedisUrl('redis://host', env).options).to.include({ username: 'u2', password: 'p2' });
  });

  for (const url of [
    '',
    'host:6379',
    'http://host',
    'redis://',
    'redis:///1',
    'redis://host/one',
    'redis://host/1?x=1',
    'redis://host/1#x',
    'redis://:%zz@host',
    'redis://host:99999',
  ]) {
    it(`refuses ${url === '' ? 'nothing' : url}`, () => {
      expect(() => parseRedisUrl(url, {}))
        .to.throw(UserError, /expected redis:\/\//)
        .with.property('exitCode', 2);
    });
  }

  it('never shows a password, right or wrong', () => {
    const secret = fc.stringMatching(/^[!-~]{0,20}$/).map((text) => `Q${text}Q`);
    fc.assert(
      fc.property(secret, fc.constantFrom('redis://', 'rediss://', 'http://'), (password, scheme) => {
        const url = `${scheme}user:${password}@host:6379/0`;
        let shown: string;
        try {
          shown = parseRedisUrl(url, {}).text;
        } catch (error) {
          shown = (error as UserError).format();
        }
        expect(shown).to.not.include(password);
      }),
    );
  });

  it('is taken out of what else is shown', () => {
    expect(withoutPasswords('run x --queue=rediss://u:p@w@host/1 --set a=1')).to.equal(
      'run x --queue=rediss://host/1 --set a=1',
    );
    expect(withoutPasswords('redis://host/1')).to.equal('redis://host/1');
    expect(withoutPasswords("'redis://:a redis://:b@host'")).to.equal("'redis://:a redis://host'");
  });
});
