import { describe, expect, it } from 'vitest';
import { PathGrants } from './path-grants.ts';

const refused = expect.objectContaining({ code: 'refused' });
const bad = expect.objectContaining({ code: 'bad-input' });

describe('PathGrants in a window with dialogs', () => {
  const grants = new PathGrants({ projectsFolder: '/data/projects', typedReads: false });
  grants.grantRead('/home/ann/picture.png');
  grants.grantWrite('/home/ann/out.png');

  it('reads what was given, by any spelling of the same path', () => {
    expect(grants.checkRead('/home/ann/../ann/picture.png')).toBe('/home/ann/picture.png');
    expect(grants.checkRead('/home/ann/out.png')).toBe('/home/ann/out.png');
  });

  it('writes only what was given for writing', () => {
    expect(grants.checkWrite('/home/ann/out.png')).toBe('/home/ann/out.png');
    expect(() => grants.checkWrite('/home/ann/picture.png')).toThrow(refused);
  });

  it('knows the projects folder, and no way out of it', () => {
    expect(grants.checkRead('/data/projects/a.spatext')).toBe('/data/projects/a.spatext');
    expect(grants.checkWrite('/data/projects/new.spatext')).toBe('/data/projects/new.spatext');
    for (const file of ['/data/projects/../../etc/x.spatext', '/data/projects-evil/a.spatext', '/data/projects/run.sh'])
      expect(() => grants.checkWrite(file)).toThrow(refused);
  });

  it.each(['/etc/passwd', '/home/ann/picture.png2', '/home/ann'])('refuses %s', (file) => {
    expect(() => grants.checkRead(file)).toThrow(refused);
  });

  it.each(['picture.png', '', './x', '/home/ann/picture.png\0.txt'])('takes no path like %j', (file) => {
    expect(() => grants.checkRead(file)).toThrow(bad);
    expect(() => grants.checkWrite(file)).toThrow(bad);
  });
});

describe('PathGrants where paths are typed', () => {
  const grants = new PathGrants({ projectsFolder: '/data/projects', typedReads: true });

  it('reads any whole path and still writes only projects', () => {
    expect(grants.checkRead('/models/pack')).toBe('/models/pack');
    expect(() => grants.checkRead('pack')).toThrow(bad);
    expect(() => grants.checkWrite('/models/pack')).toThrow(refused);
    expect(grants.checkWrite('/data/projects/a.spatext')).toBe('/data/projects/a.spatext');
  });
});
