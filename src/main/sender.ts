/** The page's address: a scheme of our own, so that no file and no web page has the same origin. */
export const SCHEME = 'spatext';
export const PAGE = `${SCHEME}://app/`;

/** Whether an address belongs to the studio's own page. */
export function isOurPage(address: string): boolean {
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    return false;
  }
  return url.protocol === `${SCHEME}:` && url.host === 'app' && url.username === '' && url.password === '';
}

/** What is looked at of an IPC event; the frame is null when it is gone already. */
export interface SenderEvent {
  readonly senderFrame: { readonly url: string; readonly parent: unknown } | null;
}

/** Whether a message comes from the top frame of our own page: no frame inside it, no page that it led to. */
export const isTrustedSender = ({ senderFrame }: SenderEvent): boolean =>
  senderFrame !== null && senderFrame.parent === null && isOurPage(senderFrame.url);
