import { StudioError } from '#shared/errors.ts';

/** Hosts that the studio's own texts (help, licences, pack sources) point to. */
const HOSTS: ReadonlySet<string> = new Set([
  'arxiv.org',
  'github.com',
  'huggingface.co',
  'omriavrahami.com',
  'www.w3.org',
]);

/**
 * An address that may be handed to the system's browser: https, a host of the list, no user or port in it.
 * Everything else could start another program or fool the reader.
 * @throws StudioError refused
 */
export function checkExternal(address: string): string {
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    throw new StudioError('refused', 'that is no web address');
  }
  const good =
    url.protocol === 'https:' &&
    url.username === '' &&
    url.password === '' &&
    url.port === '' &&
    HOSTS.has(url.hostname);
  if (!good)
    throw new StudioError('refused', `the studio does not open ${url.protocol}//${url.host}`, {
      remedy: 'copy the address into your browser if you trust it',
    });
  return url.href;
}
