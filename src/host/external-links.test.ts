import { describe, expect, it } from 'vitest';
import { checkExternal } from './external-links.ts';

describe('checkExternal', () => {
  it.each(['https://arxiv.org/abs/2211.14305', 'https://github.com/a/b', 'https://huggingface.co/x'])(
    'lets %s through',
    (url) => {
      expect(checkExternal(url)).toBe(url);
    },
  );

  it.each([
    'http://arxiv.org/abs/2211.14305',
    'https://arxiv.org.evil.example/',
    'https://evil.example/arxiv.org',
    'https://arxiv.org@evil.example/',
    'https://arxiv.org:8443/',
    'https://user:pass@github.com/',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'data:text/html,x',
    'spatext://app/',
    'smb://github.com/share',
    '\\\\github.com\\share',
    'calc.exe',
    '',
  ])('refuses %j', (url) => {
    expect(() => checkExternal(url)).toThrow(expect.objectContaining({ code: 'refused' }));
  });
});
