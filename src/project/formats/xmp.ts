import { escapeXml } from './xml.ts';
import { fromBase64, toBase64 } from './scene-carrier.ts';

/** Our names in XMP. The address names the vocabulary and is never fetched. */
const NAMESPACE = 'urn:spatext:studio:1';

/** An XMP packet: the description that every program shows, and the scene (deflated, base64). */
export function makeXmp(fields: { description: string; parameters: string; scene?: string; result?: string }): string {
  const element = (name: string, value: string | undefined): string =>
    value === undefined ? '' : `<spatext:${name}>${value}</spatext:${name}>`;
  return [
    '<?xpacket begin="\uFEFF" id="W5M0MpCehiHzreSzNTczkc9d"?>',
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">',
    `<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:spatext="${NAMESPACE}">`,
    `<dc:description><rdf:Alt><rdf:li xml:lang="x-default">${escapeXml(fields.description)}</rdf:li></rdf:Alt></dc:description>`,
    element('Parameters', escapeXml(fields.parameters)),
    element('Scene', fields.scene === undefined ? undefined : toBase64(fields.scene)),
    element('Result', fields.result === undefined ? undefined : toBase64(fields.result)),
    '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>',
  ].join('');
}

/**
 * The scene and result text of an XMP packet, if it has ours.
 * @throws StudioError bad-input if it is there but damaged
 */
export function readXmp(xmp: string): { scene: string | undefined; result: string | undefined } {
  // Programs that edit the packet keep the element or, in attribute form, the attribute.
  const find = (name: string): string | undefined => {
    const match =
      new RegExp(`<spatext:${name}>([A-Za-z0-9+/=\\s]*)</spatext:${name}>`).exec(xmp) ??
      new RegExp(`\\bspatext:${name}="([A-Za-z0-9+/=\\s]*)"`).exec(xmp);
    return match?.[1] === undefined ? undefined : fromBase64(match[1]);
  };
  return { scene: find('Scene'), result: find('Result') };
}
